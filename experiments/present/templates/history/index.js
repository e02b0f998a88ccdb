(() => {
  const entries = JSON.parse(document.getElementById("entries").textContent);
  const rows = [...document.querySelectorAll("[aria-label^='all results'] tbody tr")];
  const filter = document.getElementById("filter");
  const beside = document.getElementById("beside");
  let picked = [];

  const text = (tag, said) => Object.assign(document.createElement(tag), { textContent: said });
  const number = (value) => (value == null ? "–" : Number(value.toPrecision(3)).toLocaleString("en"));
  const shown = (entry, name) => (entry.longer.includes(name) ? "> " : "") + number(entry.figures[name]);

  const filtered = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
      left += !row.hidden;
    }
    document.getElementById("left").textContent = `${left} of ${rows.length} results`;
  };

  const difference = (name, [a, b]) => {
    const [before, now] = [a.figures[name], b.figures[name]];
    if (before == null || now == null) return "–";
    if (before === now) return "none";
    if (name === "failed, %") return `${now < before ? "−" : "+"}${number(Math.abs(now - before))} points`;
    if (!before) return "–";
    const bound = a.longer.includes(name) || b.longer.includes(name) ? "about, since polls never had an answer: " : "";
    return `${bound}${now < before ? "−" : "+"}${number(Math.abs(100 * (now / before - 1)))} %`;
  };

  const compare = () => {
    beside.hidden = picked.length !== 2;
    rows.forEach((row, place) => row.classList.toggle("picked", picked.includes(place)));
    if (beside.hidden) return;
    const pair = picked.map((place) => entries[place]).sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
    const table = text("table", "");
    table.className = "lab-table";
    const line = (tag, cells) => {
      const row = table.insertRow();
      cells.forEach((said, place) => row.append(text(place && tag === "td" ? "td" : "th", said)));
    };
    line("th", ["", pair[0].name, pair[1].name, "difference"]);
    for (const [name, key] of [["asked", "asked"], ["measurement", "measurement"], ["service level", "service_level"]])
      line("td", [name, pair[0][key], pair[1][key], pair[0][key] === pair[1][key] ? "the same" : "not the same"]);
    for (const name of new Set(pair.flatMap((one) => Object.keys(one.figures))))
      line("td", [name, shown(pair[0], name), shown(pair[1], name), difference(name, pair)]);
    for (const kind of ["machine", "version"])
      for (const name of new Set(pair.flatMap((one) => Object.keys(one[kind]))))
        if (String(pair[0][kind][name]) !== String(pair[1][kind][name]))
          line("td", [name.replaceAll("_", " "), String(pair[0][kind][name]), String(pair[1][kind][name]), "changed"]);
    const wrapped = text("div", "");
    wrapped.className = "lab-scroll";
    wrapped.append(table);
    const command = text("code", `lab report ${pair[1].name} compare_to=${pair[0].name}`);
    const more = text("p", "One run each: no interval can be given. For the table of changes: ");
    more.append(command);
    beside.replaceChildren(text("h2", "Beside each other"), wrapped, more);
  };

  rows.forEach((row, place) => {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", className: "pick" });
    box.setAttribute("aria-label", `compare ${entries[place].name}`);
    box.addEventListener("change", () => {
      picked = box.checked ? [...picked, place].slice(-2) : picked.filter((one) => one !== place);
      rows.forEach((one, number) => (one.querySelector(".pick").checked = picked.includes(number)));
      compare();
    });
    row.cells[0].prepend(box);
  });
  filter.addEventListener("input", filtered);
  document.querySelector(".tools").hidden = false;
  filtered();
})();
