// Whether the lines that an event cites are the bundle's own; as in submissions/review/citation.py.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes, NEWLINE = 10, MOST_READ = 1073741824;

  // A reader of one bundle's files by lines. It keeps the last file, and in all it reads no more
  // than a bundle may hold: whatever is cited, and however often, that comes to an end.
  function reader(source) {
    var path = "", held = null, left = MOST_READ;
    return async function (file) {
      if (file.path === path) { return held; }
      left -= file.size;
      var data = left < 0 ? null : await read(source, file);
      path = file.path;
      held = data && { data: data, ends: endsOf(data) };
      return held;
    };
  }
  async function read(source, file) {
    try {
      return await source.read(file.path, file.size);
    } catch (error) {
      return null; // what is not here proves nothing against an event
    }
  }
  // Behind which bytes the lines end; the last one may lack its end.
  function endsOf(data) {
    var ends = [];
    for (var at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) {
      ends.push(at + 1);
    }
    if (data.length && ends[ends.length - 1] !== data.length) { ends.push(data.length); }
    return ends;
  }

  // Why a citation is not of the bundle with these files, by their paths; empty if it is, null if
  // the file is not here to tell. An empty file has no line.
  async function mismatch(citation, files, read) {
    var place = citation.file + ":" + citation.first + "-" + citation.last;
    var file = files.get(citation.file);
    if (!file || file.sha256 !== citation.sha256) {
      return "it cites " + place + ", and the bundle has " + (file ? "another file" : "no file") +
        " of that name";
    }
    var held = await read(file);
    if (!held) { return null; }
    if (citation.first > citation.last || citation.last > held.ends.length) {
      return "it cites lines that are not there: " + place + ": the file has " + held.ends.length +
        " lines; cite those";
    }
    var begin = citation.first === 1 ? 0 : held.ends[citation.first - 2];
    var lines = held.data.subarray(begin, held.ends[citation.last - 1]);
    return await bytes.sha256(lines) === citation.lines_sha256 ? ""
      : "it cites " + place + ", and these lines of the bundle have another digest";
  }

  levelfield.cite = { reader: reader, mismatch: mismatch };
})();
