// Where a bundle's files come from: a folder or a zip that was picked, bytes in memory, or the site.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var layout = levelfield.layout, MAX_ZIP = 1073741824;

  async function bytesOf(blob) { return new Uint8Array(await blob.arrayBuffer()); }

  // `blobs` is a map from path to Blob; paths are below the folder that was picked.
  function folder(blobs) {
    var sizes = Object.create(null);
    blobs.forEach(function (blob, path) { sizes[path] = blob.size; });
    return {
      sizes: sizes,
      checkSize: function () { layout.checkSizes(sizes); },
      scan: async function () { layout.checkPaths(Object.keys(sizes)); },
      // At most one byte more than expected, whatever the file has become.
      read: function (path, size) { return bytesOf(blobs.get(path).slice(0, size + 1)); }
    };
  }
  function zip(blob, name) {
    var source = {
      sizes: Object.create(null),
      checkSize: function () {
        if (blob.size > MAX_ZIP) { throw new Error(name + ": more than " + MAX_ZIP + " bytes in all"); }
      },
      scan: async function () {
        var opened = await levelfield.zip.open(blob, name);
        source.sizes = opened.sizes;
        source.read = function (path) { return opened.read(path); };
      }
    };
    return source;
  }
  // What the site knows of a bundle: `held` are bytes by path, `places` addresses by path.
  function site(held, sizes, places, whyNot) {
    return {
      sizes: sizes, loose: true, whyNot: whyNot,
      checkSize: function () { layout.checkSizes(sizes); },
      scan: async function () {},
      read: async function (path) {
        if (held.has(path)) { return held.get(path); }
        if (!places.has(path)) { return null; }
        var answer = await fetch(places.get(path), { cache: "no-store" });
        if (!answer.ok) { throw new Error(path + ": the site answers " + answer.status); }
        return new Uint8Array(await answer.arrayBuffer());
      }
    };
  }

  levelfield.source = { folder: folder, zip: zip, site: site };
})();
