#include "engine/snapshot_diff.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/error.h"
#include "engine/internal/document_fetcher.h"
#include "engine/internal/key_join.h"

namespace tidemark::engine {
namespace {

// Runs are immutable and named by what they hold.
bool SameRun(const repo::Run& a, const repo::Run& b) {
  return a.deletes == b.deletes && a.natural_order == b.natural_order &&
         std::ranges::equal(a.lists, b.lists, {}, &repo::ChunkRef::id, &repo::ChunkRef::id);
}

bool HasKeys(const repo::NamespaceEntry& entry) {
  return std::ranges::none_of(entry.runs, &repo::Run::natural_order);
}

// What one snapshot says of a document.
struct Version {
  std::uint64_t fingerprint = 0;
  const repo::Run* run = nullptr;  // that holds it; nullptr: there is none

  bool operator==(const Version& other) const {
    return (run == nullptr) == (other.run == nullptr) &&
           (run == nullptr || fingerprint == other.fingerprint);
  }
};

// The runs of one side that the other has not, read by key.
class Side {
 public:
  Side(const MergeSource& source, std::span<const repo::Run> runs)
      : runs_(runs), keys_(KeysOf(source, runs)), merge_(MergeKeys(keys_, LeastKey())) {
    Next();
  }

  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  bool at_entry() const { return at_entry_; }

  DocumentKey key() const { return merge_.current().key(); }

  void Next() {
    at_entry_ = merge_.Next();
    if (at_entry_ && !key().present) {
      throw Error(ErrorCode::kUnsupported, "comparing snapshots: a document has no _id");
    }
  }

  Version version() const {
    const KeyCursor& at = merge_.current();
    return at.deletes() ? Version{} : Version{at.fingerprint(), &runs_[at.number()]};
  }

 private:
  const std::span<const repo::Run> runs_;
  std::vector<RunChunks> keys_;
  PullMerge<KeyCursor> merge_;
  bool at_entry_ = false;
};

// Compares the documents of one namespace.
class DocumentsDiff {
 public:
  DocumentsDiff(const MergeSource& source,
                const repo::NamespaceEntry& before,
                const repo::NamespaceEntry& after,
                NamespaceDiff& diff,
                const DiffOptions& options,
                std::uint64_t& visits)
      : source_(source),
        before_(before),
        after_(after),
        diff_(diff),
        options_(options),
        visits_(visits) {}

  void Run() {
    const auto [own_before, own_after] = std::ranges::mismatch(before_.runs, after_.runs, SameRun);
    shared_ = std::span(before_.runs.begin(), own_before);
    common_.emplace(source_, shared_);
    Side before(source_, std::span(own_before, before_.runs.end()));
    Side after(source_, std::span(own_after, after_.runs.end()));
    while (before.at_entry() || after.at_entry()) {
      CompareLeast(before, after);
    }
  }

 private:
  void CompareLeast(Side& before, Side& after) {
    const std::weak_ordering order = OrderOf(before, after);
    key_.Assign(order <= 0 ? before.key() : after.key());
    const DocumentKey key = key_.Get();
    const Version old = order <= 0 ? before.version() : CommonVersion(key);
    const Version now = order >= 0 ? after.version() : CommonVersion(key);
    if (old != now) {
      Report(key, old, now);
    }
    if (order <= 0) {
      before.Next();
    }
    if (order >= 0) {
      after.Next();
    }
  }

  static std::weak_ordering OrderOf(const Side& before, const Side& after) {
    if (!before.at_entry()) {
      return std::weak_ordering::greater;
    }
    return after.at_entry() ? CompareKeys(before.key(), after.key()) : std::weak_ordering::less;
  }

  Version CommonVersion(const DocumentKey& key) {
    TIDEMARK_CHECK(common_.has_value());
    const KeyCursor* found = common_->Find(key);
    return found == nullptr ? Version{} : Version{found->fingerprint(), &shared_[found->number()]};
  }

  void Report(const DocumentKey& key, const Version& old, const Version& now) {
    std::uint64_t& count = old.run == nullptr   ? diff_.added
                           : now.run == nullptr ? diff_.removed
                                                : diff_.changed;
    ++count;
    diff_.documents_differ = true;
    if (options_.visit && visits_ < options_.max_visits) {
      ++visits_;
      options_.visit({.ns = diff_, .before = Fetch(key, old), .after = Fetch(key, now)});
    }
  }

  ByteView Fetch(const DocumentKey& key, const Version& version) {
    if (version.run == nullptr) {
      return {};
    }
    std::unique_ptr<DocumentFetcher>& fetcher = fetchers_[version.run];
    if (!fetcher) {
      fetcher = std::make_unique<DocumentFetcher>(source_, *version.run);
    }
    return fetcher->Get(key);
  }

  const MergeSource& source_;
  const repo::NamespaceEntry& before_;
  const repo::NamespaceEntry& after_;
  NamespaceDiff& diff_;
  const DiffOptions& options_;
  std::uint64_t& visits_;              // of all namespaces
  std::span<const repo::Run> shared_;  // runs that both begin with
  std::optional<KeyJoin> common_;
  KeyCopy key_;
  std::map<const repo::Run*, std::unique_ptr<DocumentFetcher>> fetchers_;  // one chunk each
};

using ByName = std::map<std::pair<std::string, std::string>,
                        std::pair<const repo::NamespaceEntry*, const repo::NamespaceEntry*>>;

bool IsWanted(const repo::NamespaceEntry& entry, const std::string& only) {
  return only.empty() || only == entry.database || only == entry.database + "." + entry.collection;
}

ByName Pair(const repo::Manifest& before, const repo::Manifest& after, const std::string& only) {
  ByName pairs;
  for (const repo::NamespaceEntry& entry : before.namespaces) {
    if (IsWanted(entry, only)) {
      pairs[{entry.database, entry.collection}].first = &entry;
    }
  }
  for (const repo::NamespaceEntry& entry : after.namespaces) {
    if (IsWanted(entry, only)) {
      pairs[{entry.database, entry.collection}].second = &entry;
    }
  }
  return pairs;
}

// A server lists indexes in an order of its own.
bool SameIndexes(std::vector<Bytes> a, std::vector<Bytes> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

void CompareDocuments(const MergeSource& source,
                      const repo::NamespaceEntry& before,
                      const repo::NamespaceEntry& after,
                      const DiffOptions& options,
                      std::uint64_t& visits,
                      NamespaceDiff& diff) {
  if (before.digest == after.digest) {
    return;
  }
  diff.documents_differ = true;
  diff.by_document = HasKeys(before) && HasKeys(after);
  if (!diff.by_document) {
    return;
  }
  try {
    DocumentsDiff(source, before, after, diff, options, visits).Run();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) {
      throw;
    }
    diff.by_document = false;
    diff.added = diff.removed = diff.changed = 0;
  }
}

}  // namespace

std::vector<NamespaceDiff> DiffSnapshots(repo::SnapshotReader& reader,
                                         const repo::Manifest& before,
                                         const repo::Manifest& after,
                                         const DiffOptions& options,
                                         const std::stop_token& stop) {
  const repo::NamespaceEntry nothing;
  std::vector<NamespaceDiff> diffs;
  std::uint64_t visits = 0;
  for (const auto& [name, entries] : Pair(before, after, options.only)) {
    const repo::NamespaceEntry& old = entries.first == nullptr ? nothing : *entries.first;
    const repo::NamespaceEntry& now = entries.second == nullptr ? nothing : *entries.second;
    NamespaceDiff diff{.database = name.first,
                       .collection = name.second,
                       .in_before = entries.first != nullptr,
                       .in_after = entries.second != nullptr};
    diff.options_differ = diff.in_before && diff.in_after && old.options != now.options;
    diff.indexes_differ = diff.in_before && diff.in_after && !SameIndexes(old.indexes, now.indexes);
    const MergeSource source{
        .loader = LoaderOf(reader), .what = diff.database + "." + diff.collection, .stop = stop};
    CompareDocuments(source, old, now, options, visits, diff);
    if (diff.Differs()) {
      diffs.push_back(std::move(diff));
    }
  }
  return diffs;
}

}  // namespace tidemark::engine
