// Checks .changeset: the configuration, and that every changeset names packages that exist; asks git nothing, so any clone will do.
import { createRequire } from 'node:module';

// `changeset status` compares with a base branch, which a shallow or detached clone lacks; this is the part of it that reads files only.
const cli = createRequire(createRequire(import.meta.url).resolve('@changesets/cli/package.json'));
const { default: getReleasePlan } = cli('@changesets/get-release-plan');

try {
  const { changesets, releases } = await getReleasePlan(process.cwd());
  const empty = changesets.filter(({ summary }) => summary.trim() === '');
  for (const { id } of empty) console.error(`.changeset/${id}.md says nothing to the user`);
  process.exitCode = empty.length > 0 ? 1 : 0;
  for (const { name, oldVersion, newVersion } of releases) console.log(`${name} ${oldVersion} → ${newVersion}`);
} catch (error) {
  console.error(String(error.message ?? error));
  process.exitCode = 1;
}
