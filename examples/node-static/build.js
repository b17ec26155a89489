'use strict';

// Builds the site: the page, with its version and a style sheet whose name changes
// with its content, so that browsers may keep it for good.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { page } = require('./page');

const out = path.join(__dirname, 'dist');
const version = fs.readFileSync(path.join(__dirname, 'VERSION'), 'utf8').trim();
const style = fs.readFileSync(path.join(__dirname, 'src', 'style.css'));
const name = `style.${createHash('sha256').update(style).digest('hex').slice(0, 12)}.css`;

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(path.join(out, 'assets'), { recursive: true });
fs.writeFileSync(path.join(out, 'assets', name), style);
fs.writeFileSync(path.join(out, 'index.html'), page(version, `/assets/${name}`));
console.log(`dist holds node-static ${version}`);
