// What the page decides, without the page: pure functions of plain data, which node can run too.
const Votes = (() => {
  "use strict";
  const FORMAT = "flasheval-votes", VERSION = 1;
  // Places in a pair of the data block.
  const A = 0, B = 1, PROMPT = 2, IMAGE = 3, CODE_A = 4, CODE_B = 5;

  // A rater's name without what cannot be seen: two spellings of one name are one rater.
  const cleanName = (name) => name.normalize("NFC").replace(/\s+/gu, " ").trim().slice(0, 80).trim();

  // 32 bits of a text, by FNV-1a over its UTF-16 units.
  const hashed = (text) => {
    let hash = 0x811c9dc5;
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    return hash >>> 0;
  };

  // Numbers in [0, 1) that a text decides: mulberry32.
  const randomOf = (text) => {
    let state = hashed(text);
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  };

  // The numbers of the pairs in a part: 1 is the first of `raters`, 0 stands for all.
  const partOf = (data, part) => {
    const count = data.pairs.length;
    const start = part ? Math.floor(((part - 1) * count) / data.raters) : 0;
    const end = part ? Math.floor((part * count) / data.raters) : count;
    return Array.from({ length: end - start }, (_, i) => start + i);
  };

  // A rater's pairs in their order, each with the side of a: `{pair, left: "a" | "b"}`. The one that
  // was left less often so far comes left; where both were alike, chance decides.
  const taskOf = (data, rater, part) => {
    const random = randomOf(`${data.seed}\n${part}\n${rater}`);
    const order = partOf(data, part);
    for (let i = order.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    const lefts = data.variants.map(() => 0); // times left minus times right
    return order.map((pair) => {
      const [a, b] = data.pairs[pair];
      const coin = random() < 0.5;
      const aLeft = lefts[a] === lefts[b] ? coin : lefts[a] < lefts[b];
      lefts[a] += aLeft ? 1 : -1;
      lefts[b] += aLeft ? -1 : 1;
      return { pair, left: aLeft ? "a" : "b" };
    });
  };

  // The place in a task of the first pair without a vote; -1 where all have one.
  const nextPlace = (task, votes) => {
    const given = new Set(votes.map((vote) => vote.pair));
    return task.findIndex((one) => !given.has(one.pair));
  };

  const progressOf = (task, votes) => {
    const given = new Set(votes.map((vote) => vote.pair));
    return { done: task.filter((one) => given.has(one.pair)).length, all: task.length };
  };

  // The codes of the images on the left and on the right.
  const codesOf = (data, one) => {
    const pair = data.pairs[one.pair];
    return one.left === "a" ? [pair[CODE_A], pair[CODE_B]] : [pair[CODE_B], pair[CODE_A]];
  };

  // A side ("left", "right" or "tie") as a vote; a pair that has one already keeps it.
  const withVote = (votes, one, side, seconds, at) => {
    if (votes.some((vote) => vote.pair === one.pair)) return votes;
    const other = one.left === "a" ? "b" : "a";
    const winner = { left: one.left, right: other, tie: "tie" }[side];
    const rounded = Math.round(seconds * 100) / 100;
    return [...votes, { pair: one.pair, winner, left: one.left, seconds: rounded, at }];
  };

  const withoutLast = (votes) => votes.slice(0, -1);

  // Two lists of one rater's votes as one: of two on one pair the later counts.
  const merged = (ours, theirs) => {
    const byPair = new Map();
    for (const vote of [...ours, ...theirs]) {
      const there = byPair.get(vote.pair);
      if (!there || there.at < vote.at) byPair.set(vote.pair, vote);
    }
    return [...byPair.values()].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.pair - b.pair));
  };

  const isVote = (data, vote) =>
    vote !== null && typeof vote === "object" && Number.isInteger(vote.pair) && vote.pair >= 0 &&
    vote.pair < data.pairs.length && ["a", "b", "tie"].includes(vote.winner) &&
    ["a", "b"].includes(vote.left) && Number.isFinite(vote.seconds) && vote.seconds >= 0 &&
    typeof vote.at === "string" && !Number.isNaN(Date.parse(vote.at));

  // What the browser keeps, and reading it; what is damaged is left out.
  const kept = (votes, part) => JSON.stringify({ version: VERSION, part, votes });
  const restored = (data, text) => {
    let found = null;
    try { found = JSON.parse(text); } catch { /* as if nothing were there */ }
    const votes = found && Array.isArray(found.votes) ? found.votes : [];
    const part = found && Number.isInteger(found.part) && found.part >= 0 && found.part <= data.raters ? found.part : null;
    return { part, votes: merged(votes.filter((vote) => isVote(data, vote)), []) };
  };

  // The file that is downloaded.
  const exported = (data, rater, votes) => ({
    format: FORMAT,
    version: VERSION,
    page: data.page,
    votes: votes.map((vote) => {
      const pair = data.pairs[vote.pair];
      return {
        model_a: data.variants[pair[A]], model_b: data.variants[pair[B]],
        prompt_id: data.prompts[pair[PROMPT]][0], winner: vote.winner, rater,
        seconds: vote.seconds, left: vote.left, image: pair[IMAGE], at: vote.at,
      };
    }),
  });

  // Votes by rater of such a file; an Error, of one line, for any other.
  const imported = (data, text) => {
    let file = null;
    try { file = JSON.parse(text); } catch { /* told below */ }
    if (!file || file.format !== FORMAT || !Array.isArray(file.votes)) {
      throw new Error("This file holds no votes; choose the one that this page downloaded.");
    }
    if (file.version !== VERSION) throw new Error("This file of votes is of another version.");
    if (file.page !== data.page) throw new Error("These votes were given on another page.");
    const key = (...parts) => JSON.stringify(parts);
    const places = new Map(data.pairs.map((pair, i) => [
      key(data.variants[pair[A]], data.variants[pair[B]], data.prompts[pair[PROMPT]][0], pair[IMAGE]), i,
    ]));
    const byRater = new Map();
    for (const row of file.votes) {
      const pair = row && places.get(key(row.model_a, row.model_b, row.prompt_id, row.image));
      const vote = row && { pair, winner: row.winner, left: row.left, seconds: row.seconds, at: row.at };
      const rater = row && typeof row.rater === "string" ? cleanName(row.rater) : "";
      if (!rater || !isVote(data, vote)) throw new Error("This file of votes is damaged.");
      byRater.set(rater, [...(byRater.get(rater) || []), vote]);
    }
    return new Map([...byRater].map(([rater, votes]) => [rater, merged(votes, [])]));
  };

  const fileName = (data, rater) => {
    const plain = rater.normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
    return `votes-${data.page}-${plain || hashed(rater).toString(16)}.json`;
  };

  return {
    cleanName, hashed, randomOf, partOf, taskOf, nextPlace, progressOf, codesOf, withVote, withoutLast,
    merged, kept, restored, exported, imported, fileName, PROMPT,
  };
})();
if (typeof module === "object") module.exports = Votes;
