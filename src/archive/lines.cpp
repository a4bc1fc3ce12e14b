#include "archive/lines.h"

#include <fmt/format.h>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "base/stage_group.h"
#include "codec/gzip.h"
#include "engine/document_reader.h"

namespace tidemark::archive {
namespace {

constexpr std::size_t kBlockSize = 4U << 20;  // bytes of BSON that become one member
constexpr ByteCount kQueue = MiB(8);          // members on their way to the writer

// Turns documents into members. Confined to the reading thread.
class LinePacker {
 public:
  LinePacker(const repo::NamespaceEntry& entry,
             bson::JsonForm form,
             BoundedQueue<PackedLines>& queue)
      : entry_(entry), form_(form), queue_(queue) {}

  void Add(ByteView document, const codec::Digest& hash) {
    digest_.AddHash(hash);
    bytes_ += document.size();
    try {
      bson::AppendJson(bson::Document(document), form_, lines_);
    } catch (const Error& error) {
      throw error.WithContext("packing " + Name());
    }
    lines_ += '\n';
    ++waiting_.documents;
    waiting_.bytes += document.size();
    if (waiting_.bytes >= kBlockSize) {
      Flush();
    }
  }

  void Finish() {
    if (waiting_.documents > 0) {
      Flush();
    }
    if (bytes_ != entry_.logical_bytes || digest_ != entry_.digest) {
      throw Error(ErrorCode::kCorrupt,
                  fmt::format("packing {}: the manifest says {} documents of {} bytes, the "
                              "snapshot holds {} of {} bytes, or others",
                              Name(),
                              entry_.digest.documents,
                              entry_.logical_bytes,
                              digest_.documents,
                              bytes_));
    }
  }

 private:
  std::string Name() const { return entry_.database + "." + entry_.collection; }

  void Flush() {
    waiting_.member = gzip_.Member(AsBytes(lines_));
    lines_.clear();
    const ByteCount size{waiting_.member.size()};
    if (!queue_.Push(std::exchange(waiting_, {}), size)) {
      throw Error(ErrorCode::kCancelled, "packing " + Name() + ": stopped");
    }
  }

  const repo::NamespaceEntry& entry_;
  const bson::JsonForm form_;
  BoundedQueue<PackedLines>& queue_;
  codec::Gzip gzip_;
  repo::NamespaceDigest digest_;
  std::uint64_t bytes_ = 0;
  std::string lines_;
  PackedLines waiting_;  // its member is not made yet
};

}  // namespace

void PackLines(repo::SnapshotReader& reader,
               const repo::NamespaceEntry& entry,
               bson::JsonForm form,
               const std::stop_token& stop,
               const std::function<void(PackedLines lines)>& emit) {
  if (entry.kind == repo::NamespaceKind::kView) {
    return;
  }
  BoundedQueue<PackedLines> queue(kQueue);
  StageGroup stages(stop);
  stages.OnStop([&queue] { queue.Abort(); });
  stages.Start("pack-lines", [&](const std::stop_token& stopped) {
    LinePacker packer(entry, form, queue);
    engine::ReadHashedDocuments(
        reader, entry, stopped, [&packer](ByteView document, const codec::Digest& hash) {
          packer.Add(document, hash);
        });
    packer.Finish();
    queue.Close();
  });
  try {
    while (std::optional<PackedLines> lines = queue.Pop()) {
      emit(std::move(*lines));
    }
  } catch (...) {  // Wait() throws it again, once the reader has ended
    stages.Fail(std::current_exception());
  }
  stages.Wait();
  if (stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled,
                "packing " + entry.database + "." + entry.collection + ": stopped");
  }
}

}  // namespace tidemark::archive
