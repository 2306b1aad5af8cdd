// Elements made by hand, text only: nothing that a bundle says ever becomes markup.
var levelfieldDom = (function () {
  "use strict";
  var LONGEST = 40;
  var SVG = "http://www.w3.org/2000/svg";

  function fill(element, attributes, children) {
    Object.keys(attributes || {}).forEach(function (name) {
      var value = attributes[name];
      if (value === true) { element.setAttribute(name, ""); }
      else if (value !== false && value !== null) { element.setAttribute(name, value); }
    });
    [].concat(children === undefined ? [] : children).forEach(function (child) {
      if (child) { element.append(child); }
    });
    return element;
  }
  function make(tag, attributes, children) {
    return fill(document.createElement(tag), attributes, children);
  }
  function draw(tag, attributes, children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
  }

  function tag(kind, icon, words) {
    return make("span", { class: ("tag " + kind).trim() },
      [make("span", { "aria-hidden": "true" }, icon), " " + words]);
  }
  function letter(one) {
    return make("span", { class: "letter" }, one.letter);
  }
  // A result's letter and its system, for heads and labels; the list above has long names whole.
  function name(one) {
    var text = one.system.length > LONGEST ? one.system.slice(0, LONGEST - 1).trim() + "…" : one.system;
    return [letter(one), " ", make("bdi", {}, text)];
  }

  function table(caption, head, bodies, attributes) {
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      make("table", attributes, [
        make("caption", {}, make("span", {}, caption)),
        make("thead", {}, make("tr", {}, head)),
      ].concat(bodies)));
  }
  function column(children, right) {
    return make("th", { scope: "col", class: right ? "right" : null }, children);
  }
  function cell(children, kind) {
    return make("td", { class: kind || null }, children);
  }

  return {
    make: make, draw: draw, tag: tag, letter: letter, name: name,
    table: table, column: column, cell: cell,
  };
})();
