'use strict';

// page returns the HTML of the site's only page.
function page(version, style) {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>node-static</title><link rel="stylesheet" href="${style}"></head>
<body><p>node-static ${version}</p></body>
</html>
`;
}

module.exports = { page };
