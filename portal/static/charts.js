// Draws each figure when it scrolls into view; the chart library is fetched for the first one.
// Under each, a button writes its table to a file.
(function () {
  "use strict";
  var CONFIG = { displayModeBar: false, displaylogo: false, showSendToCloud: false, responsive: true };
  var here = document.currentScript.src;
  var NARROW = 560; // below it, names beside marks would cover each other
  var SHORT = 6; // letters that still fit there
  var TITLE = 26, TICK = 14; // letters of a line, of an axis's title and its names, likewise
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

  // Words of an axis in several lines, where one would leave no room for the marks.
  function inLines(text, letters) {
    return text.split(" ").reduce(function (lines, word) {
      var last = lines[lines.length - 1];
      if (last !== undefined && (last + " " + word).length <= letters) {
        lines[lines.length - 1] = last + " " + word;
      } else { lines.push(word); }
      return lines;
    }, []).join("<br>");
  }
  function foldAxis(axis, letters) {
    if (axis && axis.title) { axis.title.text = inLines(axis.title.text, letters); }
    if (axis && axis.ticktext) {
      axis.ticktext = axis.ticktext.map(function (text) { return inLines(text, TICK); });
    }
  }

  // Names stand beside the marks where there is room; else, and for what is hidden, the legend.
  function inWidth(figure, plot) {
    var narrow = plot.clientWidth < NARROW;
    var hidden = figure.data.some(function (trace) { return trace.visible === "legendonly"; });
    if (figure.layout.meta && figure.layout.meta.direct) {
      figure.layout.showlegend = narrow || hidden;
    }
    if (narrow && figure.layout.showlegend !== false) {
      // A legend stands above the marks there, a line for each: it makes the chart higher.
      var named = figure.data.filter(function (trace) { return trace.showlegend !== false; });
      figure.layout.legend.maxheight = 1;
      plot.style.height = named.length > 3 ? "calc(20rem + " + named.length * 21 + "px)" : "";
    }
    if (narrow) {
      foldAxis(figure.layout.xaxis, TITLE);
      foldAxis(figure.layout.yaxis, TITLE);
      figure.data.filter(function (trace) { return /text/.test(trace.mode || ""); }).forEach(function (trace) {
        var long = [].concat(trace.text).some(function (text) { return text.length > SHORT; });
        if (long) { trace.mode = trace.mode.replace(/\+?text/, ""); }
      });
    }
    return figure;
  }

  function draw(plot) {
    var text = document.getElementById(plot.dataset.figure).textContent;
    var figure = inWidth(JSON.parse(text), plot);
    return load().then(function () {
      return Plotly.react(plot, figure.data, inTheme(figure.layout, plot), CONFIG);
    }).then(function () { plot.classList.add("drawn"); });
  }

  // Text that a spreadsheet would take for a formula gets an apostrophe before it.
  function asCell(cell) {
    var text = cell.textContent.trim();
    if (/^[=+\-@\t\r]/.test(text) && !/^[+-]?[\d.]/.test(text)) { text = "'" + text; }
    return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }
  function asCsv(table) {
    return Array.from(table.rows).map(function (row) {
      return Array.from(row.cells).map(asCell).join(",") + "\r\n";
    }).join("");
  }
  function offerFile(button) {
    var table = button.closest("figure").querySelector("table");
    button.hidden = false;
    button.addEventListener("click", function () {
      // The mark at the beginning tells a spreadsheet that the text is UTF-8.
      var file = new Blob(["\ufeff", asCsv(table)], { type: "text/csv;charset=utf-8" });
      var link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = button.dataset.file;
      link.click();
      setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    });
  }
  Array.from(document.querySelectorAll("figure .csv")).forEach(offerFile);

  var plots = Array.from(document.querySelectorAll(".plot"));
  var watch = new IntersectionObserver(function (seen) {
    seen.filter(function (entry) { return entry.isIntersecting; }).forEach(function (entry) {
      watch.unobserve(entry.target);
      draw(entry.target);
    });
  }, { rootMargin: "200px" });
  // The page first: its words, tables and links are usable before any chart is drawn.
  addEventListener("load", function () {
    setTimeout(function () { plots.forEach(function (plot) { watch.observe(plot); }); }, 0);
  });

  function redraw() {
    plots.filter(function (plot) { return plot.classList.contains("drawn"); }).forEach(draw);
  }
  document.addEventListener("levelfield:theme", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
})();
