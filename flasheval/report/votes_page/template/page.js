// The page: what is on the screen, what the browser keeps, keys and buttons.
(() => {
  "use strict";
  const get = (id) => document.getElementById(id);
  const data = JSON.parse(get("data").textContent);
  const PREFIX = `flasheval-votes/${data.page}/`;
  const SHORTEST = 0.25; // seconds: a second tap that comes sooner was meant for the pair before
  const SMALL = 128; // pixels; such images are enlarged without smoothing

  // What the browser keeps; where it keeps nothing, the page does until it is closed.
  const memory = new Map();
  let keeps = true;
  try {
    localStorage.setItem(`${PREFIX}?`, "");
    localStorage.removeItem(`${PREFIX}?`);
  } catch { keeps = false; }
  const read = (rater) => {
    const key = `${PREFIX}=${rater}`;
    return Votes.restored(data, (keeps && !memory.has(key) ? localStorage.getItem(key) : memory.get(key)) || "");
  };
  const write = (rater, votes, part) => {
    const key = `${PREFIX}=${rater}`, text = Votes.kept(votes, part);
    try {
      if (!keeps) throw new Error("nothing is kept");
      localStorage.setItem(key, text);
      memory.delete(key);
    } catch {
      memory.set(key, text);
      tell("This browser keeps nothing: download your votes before you close the page.");
    }
  };
  const knownRaters = () => {
    const keys = keeps ? Object.keys(localStorage) : [];
    const ours = [...keys, ...memory.keys()].filter((key) => key.startsWith(`${PREFIX}=`));
    return [...new Set(ours)].map((key) => key.slice(PREFIX.length + 1)).sort();
  };

  let rater = "", part = 0, task = [], shown = null; // shown: {one, since, spent, ready}
  const unseen = new Set(); // pairs whose images this browser cannot show

  const tell = (text) => { get("notice").textContent = text; get("notice").hidden = !text; };
  const turnTo = (id) => ["start", "vote"].forEach((one) => { get(one).hidden = one !== id; });
  const votes = () => read(rater).votes;

  const begin = (name, chosen) => {
    rater = name;
    part = chosen;
    task = Votes.taskOf(data, rater, part);
    write(rater, votes(), part);
    get("rater").textContent = rater;
    turnTo("vote");
    show();
  };

  const show = () => {
    const given = votes(), { done, all } = Votes.progressOf(task, given);
    get("count").textContent = `${done} of ${all}`;
    get("bar").max = all;
    get("bar").value = done;
    get("undo").disabled = given.length === 0;
    get("text").value = get("as-text").open ? fileText() : "";
    const left = task.filter((one) => !unseen.has(one.pair));
    const place = Votes.nextPlace(left, given);
    get("asking").hidden = place < 0;
    get("done").hidden = place >= 0;
    get("save").hidden = place < 0;
    if (place < 0) {
      shown = null;
      if (done < all) tell(`${all - done} pairs cannot be shown by this browser; open the page in another one for them.`);
    } else if (!shown || shown.one.pair !== left[place].pair) {
      put(left[place]);
    }
  };

  const source = (code) => {
    const element = get(`i${code}`);
    return `data:${element.type};base64,${element.textContent}`;
  };
  const put = async (one) => {
    const mine = { one, since: performance.now(), spent: 0, ready: false };
    shown = mine;
    ready(false);
    get("prompt").textContent = data.prompts[data.pairs[one.pair][Votes.PROMPT]][1];
    get("prompt").scrollTop = 0;
    const images = [get("left"), get("right")];
    Votes.codesOf(data, one).forEach((code, side) => { images[side].src = source(code); });
    try {
      await Promise.all(images.map((image) => image.decode()));
    } catch {
      if (shown !== mine) return;
      unseen.add(one.pair);
      show();
      return;
    }
    if (shown !== mine) return;
    for (const image of images) {
      image.classList.toggle("pixels", Math.max(image.naturalWidth, image.naturalHeight) <= SMALL);
    }
    mine.since = performance.now();
    mine.ready = true;
    ready(true);
  };
  const ready = (yes) => get("two").classList.toggle("wait", !yes);

  // Seconds that a pair was to be seen; a page in the background does not count.
  const seconds = () => (shown.spent + (document.hidden ? 0 : performance.now() - shown.since)) / 1000;
  document.addEventListener("visibilitychange", () => {
    if (!shown) return;
    if (document.hidden) shown.spent += performance.now() - shown.since;
    shown.since = performance.now();
  });

  const choose = (side) => {
    if (!shown || !shown.ready || seconds() < SHORTEST) return;
    // What another tab gave in the meantime is read first, so that neither loses a vote.
    write(rater, Votes.withVote(votes(), shown.one, side, seconds(), new Date().toISOString()), part);
    show();
  };
  const undo = () => {
    write(rater, Votes.withoutLast(votes()), part);
    tell("");
    show();
  };

  const fileText = () => `${JSON.stringify(Votes.exported(data, rater, votes()), null, 1)}\n`;
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([fileText()], { type: "application/json" }));
    link.download = Votes.fileName(data, rater);
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  const load = async (file) => {
    let found;
    try {
      found = Votes.imported(data, await file.text());
    } catch (error) {
      tell(error.message);
      return;
    }
    let count = 0;
    for (const [name, theirs] of found) {
      const ours = read(name);
      write(name, Votes.merged(ours.votes, theirs), ours.part === null ? 0 : ours.part);
      count += theirs.length;
    }
    tell(count ? `${count} votes are loaded; choose your name to go on.` : "This file holds no votes yet.");
    welcome();
  };

  const welcome = () => {
    shown = null;
    turnTo("start");
    const names = knownRaters().map((name) => {
      const { votes: given, part: theirs } = read(name);
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${name} (${given.length} ${given.length === 1 ? "vote" : "votes"})`;
      button.addEventListener("click", () => { tell(""); begin(name, theirs === null ? 0 : theirs); });
      return button;
    });
    get("names").replaceChildren(...names);
    get("known").hidden = names.length === 0;
    get("name").value = "";
  };

  const large = get("large");
  let side = "left";
  const enlarge = (which) => {
    if (!shown || !shown.ready) return;
    side = which;
    get("which").textContent = which === "left" ? "Left" : "Right";
    get("large-image").src = get(which).src;
    get("large-image").className = get(which).className;
    if (!large.open) large.showModal();
  };
  const flip = () => enlarge(side === "left" ? "right" : "left");

  const KEYS = {
    ArrowLeft: "left", a: "left", ArrowRight: "right", l: "right", ArrowDown: "tie", t: "tie",
    u: "undo", Backspace: "undo",
  };
  document.addEventListener("keydown", (event) => {
    if (event.repeat && event.key === "Enter") event.preventDefault(); // held down, it would press on
    const what = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (!what || typing || get("vote").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.repeat) return;
    if (large.open) {
      if (what === "left" || what === "right") enlarge(what);
    } else if (what === "undo") undo();
    else choose(what);
  });
  for (const which of ["left", "right"]) {
    get(`choose-${which}`).addEventListener("click", () => choose(which));
    get(`view-${which}`).addEventListener("click", () => enlarge(which));
  }
  get("choose-tie").addEventListener("click", () => choose("tie"));
  get("flip").addEventListener("click", flip);
  get("large-image").addEventListener("click", flip);
  get("close").addEventListener("click", () => large.close());
  get("undo").addEventListener("click", undo);
  get("save").addEventListener("click", save);
  get("save-done").addEventListener("click", save);
  get("leave").addEventListener("click", () => { tell(""); welcome(); });
  get("as-text").addEventListener("toggle", () => { get("text").value = get("as-text").open ? fileText() : ""; });
  get("load").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) load(file);
    event.target.value = "";
  });
  get("who").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = Votes.cleanName(get("name").value);
    tell(name ? "" : "Type your name first.");
    if (name) begin(name, data.raters > 1 ? Number(get("part").value) : 0);
  });
  window.addEventListener("storage", () => { if (!get("vote").hidden) show(); });
  window.addEventListener("beforeunload", (event) => { if (memory.size) event.preventDefault(); });

  if (data.raters > 1) {
    const parts = Array.from({ length: data.raters }, (_, i) => new Option(`${i + 1} of ${data.raters}`, i + 1));
    get("part").append(...parts, new Option("all of them", 0));
    get("parts").hidden = false;
  }
  if (!keeps) tell("This browser keeps nothing: download your votes before you close the page.");
  welcome();
})();
