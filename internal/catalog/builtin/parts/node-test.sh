. "$HOME/.shiplock/node"
# Results in a form that is read: Node's own runner and TAP runners write it by
# themselves, others when they are asked.
more=$(node -e '
  const fs = require("fs");
  const p = fs.existsSync("package.json") ? require("./package.json") : {};
  const test = (p.scripts || {}).test || "";
  if (test === "" || test.includes("no test specified")) process.exit(1);
  const runner = /[;&|]/.test(test) ? "" : (/(?:^|[ /])(vitest|mocha|jest|ava)(?= |$)/.exec(test) || [])[1];
  const junit = fs.existsSync("node_modules/jest-junit");
  console.log({
    vitest: "--run --reporter=default --reporter=junit --outputFile.junit=junit.xml",
    mocha: "--reporter tap", ava: "--tap",
    jest: "--ci" + (junit ? " --reporters=default --reporters=jest-junit" : ""),
  }[runner] || "");') || {
  echo "package.json has no test script: nothing to test"
  exit 0
}
#include test-files.sh
root=$(cd "$root" && pwd -P)
files "$root" >"$HOME/.shiplock/before"
case $manager,$version,$more in
npm,*,?*) $manager test --silent -- $more ;;
npm,*) $manager test --silent ;;
yarn,[01].*) $manager --silent test $more ;;
yarn,*) $manager run test $more ;;
pnpm,*) $manager --silent test $more ;;
esac
files "$root" | LC_ALL=C comm -13 "$HOME/.shiplock/before" - >"$HOME/.shiplock/left"
