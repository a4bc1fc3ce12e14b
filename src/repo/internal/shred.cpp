#include "repo/internal/shred.h"

#include "repo/internal/names.h"

namespace tidemark::repo {
namespace {

// How many there were.
std::uint64_t DeleteAll(blob::BlobStore& store, const std::string& prefix, ByteCount& bytes) {
  std::vector<std::string> names;
  store.List(prefix, [&](const std::string& name, ByteCount size) {
    names.push_back(name);
    bytes.value += size.value;
  });
  for (const std::string& name : names) {
    store.Delete(name);
  }
  return names.size();
}

}  // namespace

ShreddedProject ShredBlobs(blob::BlobStore& store, const ProjectId& project) {
  ShreddedProject done;
  // The key first, in all its generations: whatever fails later, the rest is noise by then.
  done.keys = DeleteAll(store, KeyPrefix(project), done.bytes);
  // Then the order of docs/format.md for every deletion: nothing names what is not there.
  done.manifests = DeleteAll(store, PartialsPrefix(project), done.bytes) +
                   DeleteAll(store, ManifestPrefix(project), done.bytes);
  done.segments = DeleteAll(store, SegmentPrefix(project), done.bytes);
  done.packs = DeleteAll(store, PackPrefix(project), done.bytes);
  // What repairs, collections and sessions have left.
  DeleteAll(store, QuarantinePrefix(project), done.bytes);
  DeleteAll(store, WaitListPrefix(project), done.bytes);
  DeleteAll(store, CondemnedPrefix(project), done.bytes);
  DeleteAll(store, SessionPrefix(project), done.bytes);
  return done;
}

}  // namespace tidemark::repo
