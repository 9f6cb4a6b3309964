// A click on a header sorts by it; a second click turns the order round. Without this the table stands as it is.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    header.replaceChildren(button);
    button.addEventListener("click", () => {
      const sorted = header.getAttribute("aria-sort");
      const words = header.classList.contains("text");
      const up = sorted ? sorted === "descending" : words || column === 0;
      const key = (row) => {
        const cell = row.cells[column];
        return words ? cell.textContent.trim() : Number(cell.dataset.v.replace("inf", "Infinity"));
      };
      const rows = [...body.rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1));
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      body.append(...rows.map(([, row]) => row));
    });
  });
}
// With several metrics the numbers of one are shown at a time.
const picks = [...document.querySelectorAll(".pick")];
const show = () => picks.forEach((pick, m) =>
  document.querySelectorAll(`.of.m${m}`).forEach((cell) => { cell.hidden = !pick.checked; }));
for (const choice of document.querySelectorAll("fieldset")) choice.hidden = false;
picks.forEach((pick) => pick.addEventListener("change", show));
show();
