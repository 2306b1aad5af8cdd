// Draws each figure when it scrolls into view; the chart library is fetched for the first one.
(function () {
  "use strict";
  var CONFIG = { displayModeBar: false, displaylogo: false, showSendToCloud: false, responsive: true };
  var here = document.currentScript.src;
  var library = null;

  function load() {
    library = library || new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.src = here.replace(/charts\.js$/, "plotly-basic.min.js");
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return library;
  }

  // Axes take the page's colours, which the theme decides; traces keep their own.
  function inTheme(layout, plot) {
    var style = getComputedStyle(plot);
    var axis = { gridcolor: style.borderTopColor, zerolinecolor: style.borderTopColor };
    return Object.assign({}, layout, {
      font: { family: style.fontFamily, size: 13, color: style.color },
      paper_bgcolor: "transparent",
      plot_bgcolor: "transparent",
      xaxis: Object.assign({}, layout.xaxis, axis),
      yaxis: Object.assign({}, layout.yaxis, axis),
    });
  }

  function draw(plot) {
    var figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
    return load().then(function () {
      return Plotly.react(plot, figure.data, inTheme(figure.layout, plot), CONFIG);
    }).then(function () { plot.classList.add("drawn"); });
  }

  var plots = Array.from(document.querySelectorAll(".plot"));
  var watch = new IntersectionObserver(function (seen) {
    seen.filter(function (entry) { return entry.isIntersecting; }).forEach(function (entry) {
      watch.unobserve(entry.target);
      draw(entry.target);
    });
  }, { rootMargin: "200px" });
  plots.forEach(function (plot) { watch.observe(plot); });

  function redraw() {
    plots.filter(function (plot) { return plot.classList.contains("drawn"); }).forEach(draw);
  }
  document.addEventListener("levelfield:theme", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
})();
