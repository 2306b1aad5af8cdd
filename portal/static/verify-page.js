// The verify page: a folder or a zip is picked or dropped; keys and receipts of the reader's own.
(function () {
  "use strict";
  var levelfield = window.levelfield, place = document.getElementById("verify-result");
  var data = JSON.parse(document.getElementById("verify-data").textContent);
  var drop = document.getElementById("verify-drop"), extra = document.getElementById("verify-extra");
  var last = null, turn = 0;

  function named(files) {
    var blobs = new Map();
    Array.from(files).forEach(function (file) {
      blobs.set((file.webkitRelativePath || file.name).split("/").slice(1).join("/"), file);
    });
    return blobs;
  }
  // Each file that lies in a folder which was dropped, by its path below that folder.
  async function walk(entry, path, blobs) {
    if (entry.isFile) {
      blobs.set(path, await new Promise(function (resolve, reject) { entry.file(resolve, reject); }));
      return blobs;
    }
    var reader = entry.createReader(), found;
    do {
      found = await new Promise(function (resolve, reject) { reader.readEntries(resolve, reject); });
      for (var one of found) { await walk(one, path ? path + "/" + one.name : one.name, blobs); }
      if (blobs.size > 2 * levelfield.layout.maxFiles) { throw new Error("the bundle: too many files"); }
    } while (found.length);
    return blobs;
  }

  async function trustOf(source) {
    var known = await ofSite(source);
    return extra.files.length ? levelfield.trust.fromFiles(extra.files, known) : known;
  }
  // What the site holds of this very bundle, else its keys alone.
  async function ofSite(source) {
    var id = "";
    try {
      await source.scan();
      id = await levelfield.trust.idOf(source);
    } catch (error) {
      id = ""; // the steps say why
    }
    if (data.bundles.indexOf(id) < 0) {
      return levelfield.trust.fromProof({ keyring: data.keyring, log: null, standing: null }, "");
    }
    await levelfield.trust.load(data.proofs + id + ".js");
    return levelfield.trust.fromProof(levelfield.proofs[id], "");
  }
  async function verify(source) {
    var own = turn += 1;
    last = source;
    delete place.dataset.verdict;
    try {
      var reason = await levelfield.bytes.lacking();
      if (reason) { throw new Error("Not possible here: " + reason + "."); }
      var trust = await trustOf(source);
      if (own === turn) { await levelfield.view.show(place, source, trust); }
    } catch (error) {
      if (own === turn) { levelfield.view.refuse(place, error.message); }
    }
    place.scrollIntoView({ block: "nearest" });
  }

  function on(id, event, action) { document.getElementById(id).addEventListener(event, action); }
  ["folder", "zip"].forEach(function (kind) {
    on("verify-" + kind + "-button", "click", function () {
      document.getElementById("verify-" + kind).click();
    });
  });
  on("verify-folder", "change", function (event) {
    if (event.target.files.length) { verify(levelfield.source.folder(named(event.target.files))); }
    event.target.value = "";
  });
  on("verify-zip", "change", function (event) {
    var file = event.target.files[0];
    if (file) { verify(levelfield.source.zip(file, file.name)); }
    event.target.value = "";
  });
  extra.addEventListener("change", function () { if (last) { verify(last); } });
  ["dragenter", "dragover", "dragleave", "drop"].forEach(function (name) {
    drop.addEventListener(name, function (event) {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragenter" || name === "dragover");
    });
  });
  drop.addEventListener("drop", function (event) {
    var item = event.dataTransfer.items[0], entry = item && item.webkitGetAsEntry();
    var file = event.dataTransfer.files[0];
    if (!entry || !entry.isDirectory) {
      if (file) { verify(levelfield.source.zip(file, file.name)); }
      return;
    }
    walk(entry, "", new Map()).then(function (blobs) { verify(levelfield.source.folder(blobs)); })
      .catch(function (error) {
        // Chromium lets no page that was opened as a file look into a folder that is dropped.
        levelfield.view.refuse(place, location.protocol === "file:" && error instanceof DOMException
          ? "Not possible here: this browser lets a page that was opened as a file read no folder " +
            "that is dropped. Choose it with the button, or drop a zip."
          : error.message);
      });
  });
  drop.hidden = false;
})();
