// Chooses light or dark before the first paint, and lets the reader change and keep it.
(function () {
  "use strict";
  var root = document.documentElement;
  var KEY = "levelfield-theme";
  root.classList.replace("nojs", "js");

  // Storage may be forbidden (private windows, file://); the choice then lasts for the page.
  function remembered() {
    try { return localStorage.getItem(KEY); } catch (error) { return null; }
  }
  function remember(theme) {
    try { localStorage.setItem(KEY, theme); } catch (error) { return; }
  }
  function current() {
    return root.dataset.theme ||
      (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  }

  var kept = remembered();
  if (kept === "dark" || kept === "light") { root.dataset.theme = kept; }

  document.addEventListener("DOMContentLoaded", function () {
    var button = document.querySelector(".theme");
    function label() { button.textContent = current() === "dark" ? "Light theme" : "Dark theme"; }
    button.addEventListener("click", function () {
      root.dataset.theme = current() === "dark" ? "light" : "dark";
      remember(root.dataset.theme);
      label();
      document.dispatchEvent(new Event("levelfield:theme"));
    });
    label();
    button.hidden = false;

    // Where the header's places are one row, the one that the reader is at is in sight.
    var places = document.querySelector(".top nav");
    var here = places.querySelector("[aria-current]");
    if (here) { places.scrollLeft = here.offsetLeft - places.offsetLeft - 60; }
  });
})();
