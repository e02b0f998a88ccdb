(async () => {
  const places = [...document.querySelectorAll(".lab-plot")];
  const dark = matchMedia("(prefers-color-scheme: dark)"), forced = matchMedia("(forced-colors: active)");
  const NARROW = 640;
  let printing = false;
  const night = () => dark.matches && !forced.matches && !printing;

  async function library() {
    const packed = document.getElementById("plotly-gz");
    if (!packed) return;
    const bytes = Uint8Array.from(atob(packed.textContent.trim()), (letter) => letter.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(plain).text();
    document.head.append(script);
  }

  // The colours of ink, paper and grid; those of data are the same by day and by night.
  const NIGHT = { "#222222": "#e4e6e8", white: "#16181b", "#E8E8E8": "#33383e", "#999999": "#8b9197", "#BBBBBB": "#8b9197" };
  function told(place) {
    const text = window.labCharts?.[place.id] ?? document.getElementById(place.id + "-data").textContent;
    return JSON.parse(night() ? text.replace(/"(#222222|white|#E8E8E8|#999999|#BBBBBB)"/g, (_, c) => `"${NIGHT[c]}"`) : text);
  }

  function wrapped(text, letters) {
    const lines = [""];
    for (const word of text.split(" ")) {
      if (lines.at(-1).replace(/<[^>]*>/g, "").length + word.length > letters && lines.at(-1)) lines.push("");
      lines[lines.length - 1] += (lines.at(-1) ? " " : "") + word;
    }
    return lines.join("<br>");
  }

  // One below the other what has no room beside one another: small charts, and the legend below all of them.
  function narrowed({ data, layout }, width) {
    const legends = Object.keys(layout).filter((key) => /^legend\d*$/.test(key));
    const names = new Set(data.filter((t) => t.showlegend !== false && t.name && t.type !== "heatmap").map((t) => t.name));
    const shown = legends.length > 0 && layout.showlegend !== false && names.size > 0;
    const rows = shown ? names.size : 0;
    for (const key of legends) delete layout[key];
    for (const trace of data) {
      if (trace.legend && trace.legend !== "legend" && data.some((t) => t !== trace && t.name === trace.name && (t.legend ?? "legend") === "legend")) trace.showlegend = false;
      if (trace.type !== "heatmap") delete trace.legend;
    }
    layout.margin = { ...layout.margin, l: 8, r: 10 };
    const facets = layout.meta?.facets, bottom = layout.margin.b ?? 48;
    if (facets && facets.columns > 1) {
      const count = layout.annotations.length, inner = count * facets.height + (count - 1) * facets.gap;
      layout.height += inner - (facets.rows * facets.height + (facets.rows - 1) * facets.gap);
      for (let place = 0; place < count; place++) {
        const number = place ? place + 1 : "", top = 1 - (place * (facets.height + facets.gap)) / inner;
        layout["xaxis" + number].domain = [0, 1];
        layout["yaxis" + number].domain = [Math.max(0, top - facets.height / inner), top];
        Object.assign(layout.annotations[place], { x: 0, y: top });
      }
    }
    const named = Object.entries(layout).some(([key, axis]) => key.startsWith("yaxis") && axis.type === "category");
    const letters = width / (named ? 13 : 8); // Names of rows take half of a narrow page.
    for (const note of layout.annotations ?? []) Object.assign(note, { text: wrapped(note.text, letters), font: { size: 12 }, align: "left" });
    if (shown) {
      layout.showlegend = true;
      layout.legend = { orientation: "h", x: 0, xref: "container", y: 0, yref: "container", yanchor: "bottom" };
      layout.height += 22 * rows;
      layout.margin.b = bottom + 22 * rows;
    }
  }

  async function draw(place) {
    const chart = told(place), { layout } = chart;
    const width = printing ? 700 : place.clientWidth, title = layout.meta?.title_px ?? 0;
    delete layout.title; // It stands above, as text.
    layout.height = (layout.height ?? 450) - title;
    layout.margin = { ...layout.margin, t: (layout.margin?.t ?? 24) - title };
    if (width < NARROW) {
      narrowed(chart, width);
      chart.config = { ...chart.config, displayModeBar: false };
    }
    if (printing) Object.assign(layout, { autosize: false, width });
    Plotly.purge(place);
    place.replaceChildren();
    place.style.height = `${layout.height}px`;
    await Plotly.newPlot(place, chart.data, layout, chart.config);
    reachable(place);
    place.on("plotly_afterplot", () => reachable(place));
  }

  // plotly.js knows the mouse alone.
  function reachable(place) {
    for (const svg of place.querySelectorAll("svg.main-svg")) svg.setAttribute("aria-hidden", "true");
    place.querySelector(".modebar-container")?.setAttribute("aria-hidden", "true");
    for (const button of place.querySelectorAll(".modebar-btn")) button.setAttribute("tabindex", "-1");
  }

  function legend(place) {
    const names = new Map();
    place.data.forEach((trace, index) => {
      if (trace.name && trace.showlegend !== false && trace.type !== "heatmap") names.set(trace.name, [...(names.get(trace.name) ?? []), index]);
    });
    if (names.size < 2) return;
    const fold = document.createElement("details"), summary = document.createElement("summary");
    summary.textContent = "Show or hide lines";
    fold.className = "lab-more lab-lines";
    fold.append(summary);
    for (const [name, indices] of names) {
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      box.addEventListener("change", () => Plotly.restyle(place, { visible: box.checked ? true : "legendonly" }, indices));
      label.append(box, " " + name);
      fold.append(label);
    }
    place.after(fold);
  }

  // The table of devices knows the night by a class of the page.
  const dress = () => document.documentElement.classList.toggle("dark", night());
  dress();
  if (places.length) await library();
  for (const place of places) {
    await draw(place);
    legend(place);
  }
  const again = () => Promise.all([dress(), ...places.map(draw)]);
  const width = matchMedia(`(max-width: ${NARROW + 28}px)`);
  for (const query of [dark, forced, width]) query.addEventListener("change", again);
  addEventListener("beforeprint", () => { printing = true; again(); });
  addEventListener("afterprint", () => { printing = false; again(); });
  document.body.dataset.charts = "drawn";
})().catch((error) => {
  document.body.dataset.charts = "failed";
  for (const place of document.querySelectorAll(".lab-plot")) {
    if (!place.querySelector("svg")) place.textContent = "This browser cannot draw the chart (" + error + "); its figures stand in the table below.";
  }
});
