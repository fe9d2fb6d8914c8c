// Shows one board at a time, draws its figures when it is shown, and narrows them to what was clicked.
(() => {
  "use strict";
  const root = document.documentElement;
  const boards = new Map([...document.querySelectorAll(".board")].map((board) => [board.dataset.slug, board]));
  const data = new Map();
  const COLOURS = ["#3b7dd8", "#e8890c", "#2f9e44", "#9c4fd6", "#d6336c", "#0c9aa6", "#a8842c", "#6b7c93", "#c2410c", "#4d7c0f"];
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  root.classList.add("js");

  function theme(name) {
    root.dataset.theme = name;
    for (const board of boards.values()) delete board.dataset.drawn;
  }

  function read(board) {
    const slug = board.dataset.slug;
    if (!data.has(slug)) data.set(slug, JSON.parse(board.querySelector(".data").textContent));
    return data.get(slug);
  }

  // The board and what was clicked, as in the address: #versions?agent=planner
  function asked() {
    const [slug, query] = location.hash.slice(1).split("?");
    const known = boards.has(slug) ? slug : boards.keys().next().value;
    return [boards.get(known), new URLSearchParams(boards.has(slug) ? query || "" : "")];
  }

  function chosen(board, query) {
    const labels = JSON.parse(board.dataset.variables);
    const found = new Map();
    for (const [name, open] of Object.entries(JSON.parse(board.dataset.open))) found.set(name, query.get(name) || open.first);
    for (const [name, value] of query) if (name in labels) found.set(name, value);
    return new Map([...found].map(([name, value]) => [labels[name], { name, value }]));
  }

  const fits = (labels, narrowed) =>
    [...narrowed].every(([label, { value }]) => !(label in labels) || labels[label] === value);

  function go(board, query) {
    const text = query.toString();
    location.hash = board.dataset.slug + (text ? `?${text}` : "");
  }

  function choices(board, query) {
    const place = board.querySelector(".choices");
    place.replaceChildren();
    const open = JSON.parse(board.dataset.open);
    for (const [name, { title, first, values }] of Object.entries(open)) {
      const label = document.createElement("label");
      const select = document.createElement("select");
      label.append(`${title} `, select);
      for (const value of values) select.add(new Option(value, value, false, value === (query.get(name) || first)));
      select.addEventListener("change", () => { query.set(name, select.value); go(board, query); });
      place.append(label);
    }
    for (const [name, value] of query) {
      if (name in open) continue;
      const chip = document.createElement("button");
      chip.type = "button";
      chip.textContent = `${name} = ${value} ×`;
      chip.setAttribute("aria-label", `Show all again, not only ${name} ${value}`);
      chip.addEventListener("click", () => { query.delete(name); go(board, query); });
      place.append(chip);
    }
  }

  function layout(figure, marks) {
    const line = css("--grid");
    const axis = { gridcolor: line, linecolor: line, zerolinecolor: line, automargin: true };
    const shapes = marks.map((mark) => ({
      type: "line", xref: "x", yref: "paper", x0: mark.at, x1: mark.at, y0: 0, y1: 1, opacity: 0.6,
      line: { color: mark.kind === "pages" ? css("--bad") : css("--link"), width: 1, dash: "dot" },
    }));
    const signs = marks.map((mark) => ({
      x: mark.at, y: 1, yref: "paper", yanchor: "bottom", text: mark.kind === "pages" ? "▼" : "▽", hovertext: mark.text,
      showarrow: false, font: { size: 9, color: mark.kind === "pages" ? css("--bad") : css("--link") },
    }));
    return {
      paper_bgcolor: "transparent", plot_bgcolor: "transparent", margin: { l: 44, r: 8, t: 12, b: 22 }, hovermode: "closest",
      font: { color: css("--text"), size: 11, family: getComputedStyle(document.body).fontFamily },
      hoverlabel: { namelength: -1, font: { size: 11 } },
      ...figure.layout,
      showlegend: false,
      xaxis: { ...axis, type: "date", range: [data.period[0], data.period[1]] },
      yaxis: { ...axis, ...figure.layout.yaxis },
      shapes: [...(figure.layout.shapes || []), ...shapes],
      annotations: signs,
    };
  }

  function legend(place, figure, shown) {
    const list = place.parentElement.querySelector(".legend");
    list.replaceChildren();
    shown.forEach((trace, number) => {
      if (trace.showlegend === false || !("last" in trace)) return;
      const item = document.createElement("li");
      const button = document.createElement("button");
      const swatch = document.createElement("i");
      const last = document.createElement("b");
      const name = document.createElement("span");
      name.textContent = trace.label;
      swatch.style.background = trace.line.color;
      last.textContent = trace.last;
      button.type = "button";
      button.title = `${trace.label}: show only this line, or all again`;
      button.append(swatch, name, last);
      button.addEventListener("click", () => {
        const alone = place.data.every((other, index) => index === number ? other.visible !== "legendonly" : other.visible === "legendonly");
        Plotly.restyle(place, { visible: shown.map((_, index) => alone || index === number ? true : "legendonly") });
        for (const other of list.children) other.classList.toggle("off", !alone && other !== item);
      });
      item.append(button);
      list.append(item);
    });
  }

  function draw(board, narrowed) {
    const { figures, marks } = read(board);
    return Promise.all(Object.entries(figures).map(([id, figure]) => {
      const place = document.getElementById(id);
      const shown = figure.data.filter((trace) => !trace.meta || fits(trace.meta, narrowed));
      const drawn = shown.map((trace, number) => {
        const colour = COLOURS[number % COLOURS.length];
        return trace.type === "scatter" && trace.mode !== "markers" || "last" in trace
          ? { ...trace, line: { ...trace.line, color: colour }, marker: { color: colour }, ...(trace.stackgroup ? { fillcolor: `${colour}88` } : {}) }
          : trace;
      });
      place.parentElement.classList.toggle("none", drawn.length === 0);
      legend(place, figure, drawn);
      const timed = figure.marked ? marks : [];
      return Plotly.react(place, drawn, layout(figure, timed), { displayModeBar: false, responsive: true });
    }));
  }

  function rows(board, narrowed) {
    for (const row of board.querySelectorAll("tr[data-labels]")) row.hidden = !fits(JSON.parse(row.dataset.labels), narrowed);
  }

  async function show() {
    const [board, query] = asked();
    delete document.body.dataset.ready;
    for (const [slug, other] of boards) {
      other.classList.toggle("shown", other === board);
      const link = document.querySelector(`nav a[data-board="${slug}"]`);
      if (other === board) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    }
    choices(board, query);
    const narrowed = chosen(board, query);
    const open = JSON.parse(board.dataset.open);
    rows(board, new Map([...narrowed].filter(([, { name }]) => !(name in open))));
    await draw(board, narrowed);
    document.body.dataset.height = document.documentElement.scrollHeight;
    document.body.dataset.ready = location.hash || "#";
  }

  function sort(button) {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const down = head.getAttribute("aria-sort") !== "descending";
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => row.children[head.cellIndex].dataset.sort;
    const order = (one, two) => {
      const [a, b] = [value(one), value(two)];
      if (a === "" || b === "") return (a === "") - (b === "");
      const [x, y] = [Number(a), Number(b)];
      const ascending = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
      return down ? -ascending : ascending;
    };
    body.append(...[...body.rows].sort(order));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.classList.contains("sort")) sort(button);
    if (button.classList.contains("about")) {
      const text = button.closest(".panel").querySelector(".description");
      text.hidden = !text.hidden;
      button.setAttribute("aria-expanded", String(!text.hidden));
    }
    if (button.id === "theme") { theme(root.dataset.theme === "dark" ? "light" : "dark"); show(); }
  });
  addEventListener("hashchange", () => { show(); document.getElementById("main").focus({ preventScroll: true }); scrollTo(0, 0); });
  // On paper every board is there.
  addEventListener("beforeprint", () => {
    for (const board of boards.values()) {
      board.classList.add("shown");
      draw(board, chosen(board, new URLSearchParams()));
    }
  });
  addEventListener("afterprint", show);

  data.period = JSON.parse(document.querySelector(".data").textContent).period;
  theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  show();
})();
