"use strict";
// Places what the data says; computes no number. Texts go in as text, never as markup.
function make(tag, text, parent) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}
function unpack(layer) {
  const raw = Uint8Array.from(atob(layer.codes), c => c.charCodeAt(0));
  if (!layer.wide) return raw;
  return Uint16Array.from({length: raw.length / 2}, (_, i) => raw[2 * i] + 256 * raw[2 * i + 1]);
}
function sortable(table) {
  table.querySelectorAll("thead th").forEach((head, at) => head.querySelector("button")?.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === (head.classList.contains("n") ? "descending" : "ascending");
    const up = head.classList.contains("n") ? down : !down;
    table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = row => head.classList.contains("n") ? row.cells[at].dataset.v : row.cells[at].textContent;
    const body = table.tBodies[0], rows = [...body.rows].map(row => [key(row), row]);
    rows.sort(([a], [b]) => {
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      const order = head.classList.contains("n") ? a - b : a.localeCompare(b, "en", {numeric: true});
      return up ? order : -order;
    });
    body.append(...rows.map(([, row]) => row));
  }));
}
function heat(figure) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const find = selector => figure.querySelector(selector);
  const canvas = find("canvas"), slider = find("input"), choice = find("select"), all = find(".all");
  const pen = canvas.getContext("2d");
  let map, codes, cells, side, high, row = 0, column = 0;
  data.maps.forEach((one, at) => make("option", one.label, choice).value = at);
  data.scale.forEach(([text, colour, ink, mark]) => {
    const entry = make("span", undefined, find(".legend")), box = make("i", mark, entry);
    box.style.background = colour;
    box.style.color = ink;
    make("span", text, entry);
  });
  const layer = () => map.phases[slider.value];
  const says = (r, c) => layer().texts[codes[r * map.columns.length + c]];
  function read() {
    const links = map.cells.texts[cells[row * map.columns.length + column]];
    find(".readout").textContent =
      `${map.rows[row]} × ${map.columns[column]}: ${says(row, column)}${links ? `, worst of ${links}` : ""}`;
  }
  function draw(mark) {
    const wide = map.columns.length, ratio = window.devicePixelRatio || 1;
    side = Math.max(2, Math.min(26, Math.floor(1060 / wide)));
    high = Math.max(2, Math.min(side, 20, Math.floor(900 / map.rows.length)));
    canvas.width = wide * side * ratio;
    canvas.height = map.rows.length * high * ratio;
    canvas.style.width = `${wide * side}px`;
    pen.scale(ratio, ratio);
    pen.textAlign = "center";
    pen.font = `${Math.min(high - 2, 11)}px sans-serif`;
    for (let r = 0; r < map.rows.length; r++) for (let c = 0; c < wide; c++) {
      const [, colour, ink, sign] = data.scale[layer().bands[codes[r * wide + c]]];
      const gap = high > 4 ? 1 : 0;
      pen.fillStyle = colour;
      pen.fillRect(c * side, r * high, side - gap, high - gap);
      if (high > 9 && sign) {
        pen.fillStyle = ink;
        pen.fillText(sign, (c + 0.5) * side, (r + 0.8) * high);
      }
    }
    if (!mark) return;
    pen.strokeStyle = "#000";
    pen.lineWidth = 2;
    pen.strokeRect(column * side, row * high, side, high);
  }
  function table() {
    all.replaceChildren();
    if (all.hidden) return;
    const body = make("table", undefined, all), head = make("tr", undefined, make("thead", undefined, body));
    ["", ...map.columns].forEach(name => make("th", name, head).scope = "col");
    const lines = make("tbody", undefined, body);
    map.rows.forEach((name, r) => {
      const line = make("tr", undefined, lines);
      make("th", name, line).scope = "row";
      map.columns.forEach((_, c) => make("td", says(r, c), line).className = "n");
    });
  }
  function show() {
    map = data.maps[choice.value];
    codes = unpack(layer());
    cells = unpack(map.cells);
    row = Math.min(row, map.rows.length - 1);
    column = Math.min(column, map.columns.length - 1);
    find("output").textContent = data.phases[slider.value];
    slider.setAttribute("aria-valuetext", data.phases[slider.value]);
    draw(false);
    table();
    read();
  }
  choice.addEventListener("change", show);
  slider.addEventListener("input", show);
  find("button.cells").addEventListener("click", event => {
    all.hidden = !all.hidden;
    event.target.setAttribute("aria-pressed", String(!all.hidden));
    table();
  });
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect();
    column = Math.max(0, Math.min(map.columns.length - 1, Math.floor((event.clientX - box.left) / box.width * map.columns.length)));
    row = Math.max(0, Math.min(map.rows.length - 1, Math.floor((event.clientY - box.top) / box.height * map.rows.length)));
    read();
  });
  canvas.addEventListener("keydown", event => {
    const move = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (!move) return;
    event.preventDefault();
    row = Math.max(0, Math.min(map.rows.length - 1, row + move[0]));
    column = Math.max(0, Math.min(map.columns.length - 1, column + move[1]));
    draw(true);
    read();
  });
  show();
}
document.querySelectorAll("table").forEach(sortable);
document.querySelectorAll("figure.heat").forEach(heat);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(one => { one.open = true; }));
