#include "engine/internal/run_merge.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "engine/internal/pull_merge.h"

namespace tidemark::engine {
namespace {

// A position in one run. Before Open it stands at the run's first _id without having read anything.
class RunCursor {
 public:
  RunCursor(const MergeSource& source, const repo::Run& run, std::size_t number)
      : source_(source), run_(run), number_(number) {
    if (!run.natural_order && run.documents > 0) {
      key_ = DecodeKey(run.first_id);
    }
  }

  std::size_t number() const { return number_; }

  const DocumentKey& key() const { return key_; }

  ByteView document() const { return document_; }

  // SHA-256 of the document. REQUIRES: the loader gives hashes.
  const codec::Digest& hash() const {
    TIDEMARK_CHECK(seen_in_chunk_ > 0 && seen_in_chunk_ <= chunk_.hashes.size());
    return chunk_.hashes[seen_in_chunk_ - 1];
  }

  bool deletes() const { return run_.deletes; }

  bool opened() const { return opened_; }

  // To the first document. False when there is none.
  bool Open();
  // To the first document whose _id is not before `from`. False when there is none.
  bool OpenAt(const DocumentKey& from);
  // To the document after the first `skip`. False when there is none.
  bool OpenAfter(std::uint64_t skip);
  // To the next document. False at the end, with nothing held any more.
  bool Advance();

 private:
  bool NextChunk();
  void LoadChunk();
  bool NextList();
  std::size_t FindList(const DocumentKey& from) const;
  std::vector<repo::SnapshotWriter::ListedChunk> LoadList(std::size_t number) const;
  void StartAtChunk(std::size_t number);
  void TakeDocument();
  void CheckChunkEnd() const;
  void CheckRunEnd();
  std::string Place() const;
  [[noreturn]] void FailCorrupt(const std::string& why) const;

  template <class Load>
  auto AtPlace(const Load& load) const {
    try {
      return load();
    } catch (const Error& error) {
      throw error.WithContext("reading " + Place());
    }
  }

  const MergeSource& source_;
  const repo::Run& run_;
  const std::size_t number_;
  bool opened_ = false;
  bool counted_ = true;  // all documents of the run pass by
  std::size_t next_list_ = 0;
  std::vector<repo::ChunkRef> refs_;  // of the current list, without the first _ids
  std::size_t next_ref_ = 0;
  repo::HashedChunk chunk_;
  ByteView rest_;  // of the chunk, after document_
  ByteView document_;
  DocumentKey key_;
  std::uint32_t seen_in_chunk_ = 0;
  std::uint64_t seen_ = 0;
};

std::string RunCursor::Place() const {
  return source_.what + " run " + std::to_string(number_ + 1) + " list " +
         std::to_string(next_list_) + " chunk " + std::to_string(next_ref_);
}

void RunCursor::FailCorrupt(const std::string& why) const {
  throw Error(ErrorCode::kCorrupt, "reading " + Place() + ": " + why);
}

bool RunCursor::Open() {
  opened_ = true;
  if (!Advance()) {
    return false;
  }
  if (!run_.natural_order &&
      CompareKeys(key_, DecodeKey(run_.first_id)) != std::weak_ordering::equivalent) {
    FailCorrupt("the first _id is not the one that the manifest names");
  }
  return true;
}

// The last list whose first _id is not after `from`.
std::size_t RunCursor::FindList(const DocumentKey& from) const {
  std::size_t low = 0;
  std::size_t high = run_.lists.size();
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    const auto listed = LoadList(middle);
    const bool after = !listed.empty() && CompareKeys(DecodeKey(listed[0].first_id), from) > 0;
    (after ? high : low) = middle;
  }
  return low;
}

// As if the chunks of the list before it had been read.
void RunCursor::StartAtChunk(std::size_t number) {
  next_ref_ = number;
  seen_in_chunk_ = number == 0 ? 0 : refs_[number - 1].documents;
}

bool RunCursor::OpenAt(const DocumentKey& from) {
  opened_ = true;
  counted_ = false;
  if (!run_.lists.empty()) {
    next_list_ = FindList(from);
    const auto listed = LoadList(next_list_);
    const auto after = std::ranges::find_if(listed, [&](const auto& chunk) {
      return CompareKeys(DecodeKey(chunk.first_id), from) > 0;
    });
    const auto before = static_cast<std::size_t>(after - listed.begin());
    NextList();
    StartAtChunk(before == 0 ? 0 : before - 1);
  }
  while (Advance()) {
    if (CompareKeys(key_, from) >= 0) {
      return true;
    }
  }
  return false;
}

bool RunCursor::OpenAfter(std::uint64_t skip) {
  opened_ = true;
  bool there = false;
  while (!there && NextList()) {
    std::size_t chunk = 0;
    while (chunk < refs_.size() && refs_[chunk].documents <= skip - seen_) {
      seen_ += refs_[chunk++].documents;
    }
    StartAtChunk(chunk);
    there = chunk < refs_.size();
  }
  bool more = Advance();
  while (more && seen_ <= skip) {
    more = Advance();
  }
  return more;
}

bool RunCursor::Advance() {
  while (rest_.empty()) {
    CheckChunkEnd();
    if (!NextChunk()) {
      CheckRunEnd();
      return false;
    }
  }
  AtPlace([this] { TakeDocument(); });
  return true;
}

void RunCursor::TakeDocument() {
  const std::size_t size = bson::FrontDocumentSize(rest_);
  document_ = rest_.first(size);
  rest_ = rest_.subspan(size);
  const bson::Document document(document_);
  if (!run_.natural_order) {
    key_ = KeyOf(document);
  }
  ++seen_in_chunk_;
  ++seen_;
}

bool RunCursor::NextChunk() {
  while (next_ref_ == refs_.size()) {
    if (!NextList()) {
      return false;
    }
  }
  if (source_.stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled, "reading " + source_.what + ": cancelled");
  }
  LoadChunk();
  return true;
}

void RunCursor::LoadChunk() {
  const repo::ChunkRef& ref = refs_[next_ref_++];
  chunk_ = {};  // before the next one comes: one chunk in memory
  chunk_ = AtPlace([&] { return source_.loader.load(ref); });
  rest_ = chunk_.plain;
  seen_in_chunk_ = 0;
}

std::vector<repo::SnapshotWriter::ListedChunk> RunCursor::LoadList(std::size_t number) const {
  return AtPlace([&] { return source_.loader.load_list(run_.lists[number]); });
}

bool RunCursor::NextList() {
  if (next_list_ == run_.lists.size()) {
    return false;
  }
  next_ref_ = 0;
  const auto listed = LoadList(next_list_++);
  refs_.clear();
  for (const auto& chunk : listed) {
    refs_.push_back(chunk.ref);
  }
  return true;
}

void RunCursor::CheckChunkEnd() const {
  if (next_ref_ == 0) {
    return;  // none read of this list yet
  }
  const std::uint32_t stated = refs_[next_ref_ - 1].documents;
  if (seen_in_chunk_ != stated) {
    FailCorrupt("holds " + std::to_string(seen_in_chunk_) + " documents, listed with " +
                std::to_string(stated));
  }
}

void RunCursor::CheckRunEnd() {
  if (counted_ && seen_ != run_.documents) {
    FailCorrupt("the run holds " + std::to_string(seen_) + " documents, the manifest says " +
                std::to_string(run_.documents));
  }
  chunk_ = {};
  std::vector<repo::ChunkRef>().swap(refs_);  // what is assigned to keeps its room
  next_ref_ = 0;
}

PullMerge<RunCursor> MergeOf(const MergeSource& source, std::span<const repo::Run* const> runs) {
  std::vector<std::unique_ptr<RunCursor>> cursors;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i]->documents > 0) {
      cursors.push_back(std::make_unique<RunCursor>(source, *runs[i], i));
    }
  }
  return PullMerge<RunCursor>(std::move(cursors));
}

void VisitMerged(PullMerge<RunCursor> merge, const HashedVisitor& visit) {
  while (merge.Next()) {
    const RunCursor& at = merge.current();
    if (!at.deletes()) {
      visit(at.document(), at.hash());
    }
  }
}

ChunkLoader MakeLoader(auto& from) {
  return {.load =
              [&from](const repo::ChunkRef& ref) {
                return repo::HashedChunk{.plain = from.Load(ref), .hashes = {}};
              },
          .load_list = [&from](const repo::ChunkRef& ref) { return from.LoadList(ref); },
          .load_keys = [&from](const repo::ChunkRef& ref) { return from.LoadKeys(ref); }};
}

}  // namespace

ChunkLoader LoaderOf(repo::SnapshotReader& reader) {
  return MakeLoader(reader);
}

ChunkLoader HashedLoaderOf(repo::SnapshotReader& reader) {
  ChunkLoader loader = MakeLoader(reader);
  loader.load = [&reader](const repo::ChunkRef& ref) { return reader.LoadHashed(ref); };
  return loader;
}

ChunkLoader LoaderOf(repo::SnapshotWriter& writer) {
  return MakeLoader(writer);
}

void MergeRuns(const MergeSource& source,
               std::span<const repo::Run* const> runs,
               const DocumentVisitor& visit) {
  MergeRuns(source, runs, visit, [](ByteView, const DocumentKey&) {});
}

void MergeRuns(const MergeSource& source,
               std::span<const repo::Run* const> runs,
               const DocumentVisitor& visit,
               const DocumentVisitor& visit_deletion) {
  auto merge = MergeOf(source, runs);
  while (merge.Next()) {
    const RunCursor& at = merge.current();
    (at.deletes() ? visit_deletion : visit)(at.document(), at.key());
  }
}

void MergeHashed(const MergeSource& source,
                 std::span<const repo::Run* const> runs,
                 const HashedVisitor& visit) {
  VisitMerged(MergeOf(source, runs), visit);
}

void MergeRunsFrom(const MergeSource& source,
                   std::span<const repo::Run* const> runs,
                   const DocumentKey& from,
                   const HashedVisitor& visit) {
  std::vector<std::unique_ptr<RunCursor>> cursors;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i]->documents == 0) {
      continue;
    }
    auto cursor = std::make_unique<RunCursor>(source, *runs[i], i);
    const bool begins_later = CompareKeys(cursor->key(), from) >= 0;  // opened when it is reached
    if (begins_later || cursor->OpenAt(from)) {
      cursors.push_back(std::move(cursor));
    }
  }
  VisitMerged(PullMerge<RunCursor>(std::move(cursors)), visit);
}

void ReadInOrder(const MergeSource& source,
                 std::span<const repo::Run* const> runs,
                 std::uint64_t skip,
                 const HashedVisitor& visit) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (skip > 0 && skip >= runs[i]->documents) {
      skip -= runs[i]->documents;
      continue;
    }
    RunCursor cursor(source, *runs[i], i);
    for (bool more = skip > 0 ? cursor.OpenAfter(skip) : cursor.Open(); more;
         more = cursor.Advance()) {
      visit(cursor.document(), cursor.hash());
    }
    skip = 0;
  }
}

}  // namespace tidemark::engine
