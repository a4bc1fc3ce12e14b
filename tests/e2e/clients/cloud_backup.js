// Drives cloud backups as a user of the npm package mongodb-atlas-api-client does, and prints what it saw as one line of
// JSON. NODE_PATH names the folder that has the package.
"use strict";

const connect = require("mongodb-atlas-api-client");

const setting = (name) => {
  if (!process.env[name]) {
    throw new Error(`environment variable ${name} is missing`);
  }
  return process.env[name];
};

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function main() {
  const { cloudBackup } = connect({
    publicKey: setting("PUBLIC_KEY"),
    privateKey: setting("PRIVATE_KEY"),
    baseUrl: `${setting("BASE_URL")}/api/atlas/v1.0`,
    projectId: setting("GROUP_ID"),
  });
  const cluster = setting("CLUSTER");
  const snapshotId = setting("SNAPSHOT_ID");
  const listed = await cloudBackup.getAllReplicaSetCloudBackups(cluster, { itemsPerPage: 500 });
  const one = await cloudBackup.getReplicaSetCloudBackup(cluster, snapshotId);
  const download = await cloudBackup.createSnapshotRestoreJob(cluster, { deliveryType: "download", snapshotId });
  const archive = await fetch(download.deliveryUrl[0]);
  const bytes = (await archive.arrayBuffer()).byteLength;
  const restore = await cloudBackup.createSnapshotRestoreJob(cluster, {
    deliveryType: "automated",
    snapshotId,
    targetClusterName: setting("TARGET"),
    targetGroupId: setting("TARGET_GROUP_ID"),
  });
  let job = restore;
  for (const end = Date.now() + 120000; !job.finishedAt && Date.now() < end; await pause(200)) {
    job = await cloudBackup.getSnapshotRestoreJob(cluster, restore.id);
  }
  // The package lets an error's body through as it is.
  const unknown = await cloudBackup.getSnapshotRestoreJob(cluster, "0123456789abcdef01234567");
  console.log(
    JSON.stringify({
      listed: listed.results.some((snapshot) => snapshot.id === snapshotId),
      total: listed.totalCount,
      status: one.status,
      type: one.snapshotType,
      bytes,
      finished: Boolean(job.finishedAt),
      failed: job.failed,
      unknown: unknown.errorCode,
    }),
  );
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
