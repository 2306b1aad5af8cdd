// "Verify here" on a result's page: the verifier and the bundle's proof are loaded on the click.
(function () {
  "use strict";
  var block = document.getElementById("verify-here"), button = block.querySelector("button");
  var place = block.querySelector(".verify-result"), root = block.dataset.root;
  var online = location.protocol !== "file:";
  var WHY_NOT = online
    ? "The others are not on this site; the picker on the verify page hashes a whole bundle."
    : "A page that is opened as a file may not read others; the picker on the verify page hashes a " +
      "whole bundle.";

  function load(address) {
    return new Promise(function (resolve, reject) {
      var script = document.createElement("script");
      script.src = root + address;
      script.addEventListener("load", resolve);
      script.addEventListener("error", function () { reject(new Error(address + ": cannot be read")); });
      document.head.append(script);
    });
  }
  function sourceOf(proof) {
    var levelfield = window.levelfield, held = new Map(), places = new Map();
    var sizes = Object.create(null);
    Object.keys(proof.held).forEach(function (path) {
      held.set(path, levelfield.bytes.ofBase64(proof.held[path], path));
      sizes[path] = held.get(path).length;
    });
    Object.keys(proof.sizes).forEach(function (path) { sizes[path] = proof.sizes[path]; });
    Object.keys(online ? proof.places : {}).forEach(function (path) {
      places.set(path, root + proof.places[path]);
    });
    return levelfield.source.site(held, sizes, places, WHY_NOT);
  }
  async function verify() {
    button.disabled = true;
    try {
      if (!window.levelfield) { await load("verify/core.js"); }
      await load("verify/proofs/" + block.dataset.bundle + ".js");
      var proof = window.levelfield.proofs[block.dataset.bundle];
      var trust = await window.levelfield.trust.fromProof(proof, root + "verify/");
      await window.levelfield.view.show(place, sourceOf(proof), trust);
    } catch (error) {
      place.textContent = "✕ " + error.message;
    }
    button.disabled = false;
  }
  button.addEventListener("click", verify);
  button.hidden = false;
})();
