(() => {
  // The cell of parameters alone holds the values: the form shows what stands there, and writes there.
  const host = document.currentScript.closest(".lab-form");
  const app = window.jupyterapp;
  if (!app) return; // Not the JupyterLab that `lab notebook` starts: the form stays hidden.
  const NAMES = ["target", "clients", "interval_ms", "minutes", "engine"];
  const field = (name) => host.querySelector(`[name=${name}]`);
  const line = (name) =>
    new RegExp(`^(${name}\\s*(?::\\s*\\w+\\s*)?=\\s*)("[^"\\n]*"|'[^'\\n]*'|[^#\\n]*?)(\\s*(?:#.*)?)$`, "m");
  let panel, parameters, live, dock;

  const tagged = (tag) => panel.content.widgets.find((cell) => (cell.model.getMetadata("tags") || []).includes(tag));
  const kernel = () => panel.sessionContext.session?.kernel;
  const say = (text) => (host.querySelector(".lab-said").textContent = text);

  const fill = () => {
    const source = parameters.getSource();
    for (const name of NAMES) {
      const written = line(name).exec(source)?.[2].trim();
      if (written === undefined || field(name) === document.activeElement) continue;
      field(name).value = /^["']/.test(written) ? written.slice(1, -1) : written.replace(/_/g, "");
    }
  };

  const python = (into) => {
    if (into.type !== "number") return JSON.stringify(into.value.trim());
    const number = String(Number(into.value));
    return into.step === "any" && /^\d+$/.test(number) ? `${number}.0` : number;
  };

  const write = ({ target: into }) => {
    if (!into.checkValidity()) return;
    const value = python(into);
    const changed = parameters.getSource().replace(line(into.name), (_, before, old, after) => before + value + after);
    if (changed !== parameters.getSource()) parameters.setSource(changed);
  };

  const run = async (event) => {
    event.preventDefault();
    say("Starting.");
    // What is run before there is a kernel is not run at all, and nothing says so.
    await panel.sessionContext.ready;
    await kernel()?.info;
    app.shell.activateById(panel.id);
    app.commands.execute("notebook:run-all-cells");
  };

  const stop = () => {
    say("Stopping: what was measured until now is kept and shown.");
    kernel()?.interrupt();
  };

  const picture = () => {
    const outputs = live.model.outputs;
    for (let place = 0; place < outputs.length; place++) {
      const { data, metadata } = outputs.get(place);
      if (metadata?.lab?.role === "progress") return [data["text/html"]].flat().join("");
    }
    return "";
  };

  // The picture of the run under way stays at the lower edge, wherever the reader has scrolled.
  const show = () => {
    const busy = kernel()?.status === "busy";
    host.querySelector(".lab-run").disabled = busy;
    host.querySelector(".lab-stop").disabled = !busy;
    const drawn = busy && live.model.executionState === "running" ? picture() : "";
    if (drawn) {
      say("");
      if (dock.drawn !== drawn) dock.firstElementChild.innerHTML = dock.drawn = drawn;
      dock.hidden = false;
    } else if (!dock.hidden) {
      dock.hidden = true;
      reveal(tagged("verdict"));
    }
    if (dock.busy && !busy) say("");
    dock.busy = busy;
  };

  // Twice: what is drawn above it only then has its height.
  const reveal = async (cell) => {
    await panel.content.scrollToItem(panel.content.widgets.indexOf(cell), "start");
    setTimeout(() => cell.node.scrollIntoView({ block: "start" }), 500);
  };

  const begin = () => {
    panel.labForm?.end(); // That of an earlier execution of this cell.
    parameters = tagged("parameters").model.sharedModel;
    live = tagged("progress");
    dock = document.createElement("section");
    dock.className = "lab-dock";
    dock.hidden = true;
    dock.setAttribute("aria-label", "the run under way");
    dock.append(document.createElement("div"), document.createElement("button"));
    dock.lastElementChild.textContent = "Stop";
    dock.lastElementChild.addEventListener("click", stop);
    panel.node.append(dock);
    host.addEventListener("input", write);
    host.querySelector("form").addEventListener("submit", run);
    host.querySelector(".lab-stop").addEventListener("click", stop);
    parameters.changed.connect(fill);
    live.model.outputs.changed.connect(show);
    const looking = setInterval(show, 500);
    const end = () => {
      clearInterval(looking);
      parameters.changed.disconnect(fill);
      live.model.outputs.changed.disconnect(show);
      dock.remove();
    };
    panel.labForm = { end };
    panel.disposed.connect(end);
    host.hidden = false;
    fill();
    show();
  };

  const find = (tries) => {
    panel = [...app.shell.widgets("main")].find((one) => one.node.contains(host));
    if (panel?.content?.widgets && tagged("parameters") && tagged("progress")) begin();
    else if (tries) setTimeout(find, 200, tries - 1);
  };
  find(100);
})();
