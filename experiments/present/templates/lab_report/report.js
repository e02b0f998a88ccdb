(async () => {
  const packed = atob(document.getElementById("plotly-gz").textContent.trim());
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(plain).text();
  document.head.append(script);
  const places = [...document.querySelectorAll(".lab-plot")];
  for (const place of places) {
    const chart = JSON.parse(document.getElementById(place.id + "-data").textContent);
    await Plotly.newPlot(place, chart.data, chart.layout, chart.config);
  }
  const widen = (layout) => places.forEach((place) => Plotly.relayout(place, layout));
  window.addEventListener("beforeprint", () => widen({ autosize: false, width: 700 }));
  window.addEventListener("afterprint", () => widen({ autosize: true, width: null }));
  document.body.dataset.charts = "drawn";
})().catch((error) => {
  document.body.dataset.charts = "failed";
  for (const place of document.querySelectorAll(".lab-plot")) {
    place.textContent = "This browser cannot draw the chart (" + error + "); a current one can.";
  }
});
