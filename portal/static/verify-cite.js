// Whether the lines that an event cites are the bundle's own; as in submissions/review/citation.py.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes, NEWLINE = 10, MOST_READ = 2147483648;

  // A reader of one bundle's files by lines, one file after the other; it keeps the last one. What
  // it reads and hashes has an end, whatever is cited, and however often.
  function reader(source) {
    var path = "", held = null, turn = Promise.resolve(), left = MOST_READ;
    function spend(count) { left -= count; return left >= 0; }
    async function open(file) {
      if (file.path === path) { return held; }
      var data = spend(file.size) ? await read(source, file) : null;
      path = file.path;
      held = data && { data: data, ends: endsOf(data) };
      return held;
    }
    return {
      open: function (file) {
        turn = turn.then(function () { return open(file); });
        return turn;
      },
      spend: spend
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
    var open = data.length && data[data.length - 1] !== NEWLINE ? 1 : 0, found = 0;
    var count = data.reduce(function (sum, byte) { return byte === NEWLINE ? sum + 1 : sum; }, open);
    var ends = new Uint32Array(count);
    data.forEach(function (byte, at) {
      if (byte === NEWLINE) {
        ends[found] = at + 1;
        found += 1;
      }
    });
    if (open) { ends[found] = data.length; }
    return ends;
  }

  // Why a citation is not of the bundle with these files, by their paths; empty if it is, null if
  // the file is not here to tell, or too much has been cited already. An empty file has no line.
  async function mismatch(citation, files, reader) {
    var place = citation.file + ":" + citation.first + "-" + citation.last;
    var file = files.get(citation.file);
    if (!file || file.sha256 !== citation.sha256) {
      return "it cites " + place + ", and the bundle has " + (file ? "another file" : "no file") +
        " of that name";
    }
    var held = await reader.open(file);
    if (!held) { return null; }
    if (citation.first > citation.last || citation.last > held.ends.length) {
      return "it cites lines that are not there: " + place + ": the file has " + held.ends.length +
        " lines; cite those";
    }
    var begin = citation.first === 1 ? 0 : held.ends[citation.first - 2];
    var lines = held.data.subarray(begin, held.ends[citation.last - 1]);
    if (!reader.spend(lines.length)) { return null; }
    return await bytes.sha256(lines) === citation.lines_sha256 ? ""
      : "it cites " + place + ", and these lines of the bundle have another digest";
  }

  levelfield.cite = { reader: reader, mismatch: mismatch };
})();
