// Prints the folders to build, in order: the packages of the same workspace that
// this one uses, and then itself.
const fs = require('fs');
const path = require('path');

const root = fs.realpathSync(process.argv[2]);
const modules = `${path.sep}node_modules${path.sep}`;
const seen = new Set();

function find(from, name) {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const at = path.join(dir, 'node_modules', name);
    if (fs.existsSync(path.join(at, 'package.json'))) return fs.realpathSync(at);
    if (dir === path.dirname(dir)) return '';
  }
}

function visit(dir) {
  if (seen.has(dir)) return;
  seen.add(dir);
  const p = JSON.parse(fs.readFileSync(path.join(dir, 'package.json')));
  for (const name of Object.keys({ ...p.dependencies, ...p.devDependencies }).sort()) {
    const at = find(dir, name);
    if ((at === root || at.startsWith(root + path.sep)) && !at.includes(modules)) visit(at);
  }
  if (p.scripts?.build) console.log(dir);
}

visit(fs.realpathSync('.'));
