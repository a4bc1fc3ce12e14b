#include "engine/internal/savepoints.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"

namespace tidemark::engine {
namespace {

// At most so large a part of what was read is read again: 1.6 %.
constexpr std::uint64_t kPartReadAgain = 64;

using Name = std::pair<std::string_view, std::string_view>;

Name NameOf(const repo::NamespaceEntry& entry) {
  return {entry.database, entry.collection};
}

repo::NamespaceEntry EntryOf(const SourceNamespace& ns) {
  return {.database = ns.database,
          .collection = ns.collection,
          .kind = ns.kind,
          .options = ns.options,
          .indexes = ns.indexes};
}

std::vector<repo::NamespaceEntry> EntriesOf(const SourceCatalog& catalog) {
  std::vector<repo::NamespaceEntry> entries;
  std::ranges::transform(catalog.namespaces, std::back_inserter(entries), EntryOf);
  return entries;
}

repo::Manifest HeadOf(repo::Manifest manifest) {
  manifest.namespaces.clear();
  manifest.unfinished.clear();
  return manifest;
}

// IsStored, with a list that does not open for one that is not there.
bool IsWhole(repo::SnapshotWriter& writer, const repo::NamespaceEntry& entry) {
  try {
    return IsStored(writer, entry);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt && error.code() != ErrorCode::kNotFound) {
      throw;
    }
    return false;
  }
}

bool HasSameForm(const repo::NamespaceEntry& before, const repo::NamespaceEntry& now) {
  return before.kind != repo::NamespaceKind::kView && before.kind == now.kind &&
         before.options == now.options;
}

// What was written of it before, under the indexes that it has now.
void PutUnder(repo::NamespaceEntry& now, repo::NamespaceEntry before) {
  before.indexes = std::move(now.indexes);
  now = std::move(before);
}

}  // namespace

bool IsStored(repo::SnapshotWriter& writer, const repo::NamespaceEntry& entry) {
  const auto all_of = [&writer](const repo::ChunkRef& list) {
    return writer.Holds(list) &&
           std::ranges::all_of(writer.LoadList(list),
                               [&writer](const auto& chunk) { return writer.Holds(chunk.ref); });
  };
  return std::ranges::all_of(entry.runs, [&all_of](const repo::Run& run) {
    return std::ranges::all_of(run.lists, all_of) && std::ranges::all_of(run.key_lists, all_of);
  });
}

Savepoints::Savepoints(const SourceCatalog& catalog,
                       const repo::Manifest& partial,
                       repo::SnapshotWriter& writer,
                       ByteCount every,
                       std::size_t readers)
    : catalog_(catalog),
      writer_(writer),
      head_(HeadOf(partial)),
      every_(every.value),
      readers_(std::max<std::size_t>(readers, 1)),
      entries_(EntriesOf(catalog)),
      finished_(entries_.size()),
      cuts_(entries_.size()) {
  TakeOverFinished(partial);
  TakeOverUnfinished(partial);
}

void Savepoints::TakeOverFinished(const repo::Manifest& partial) {
  std::map<Name, const repo::NamespaceEntry*> by_name;
  for (const repo::NamespaceEntry& entry : partial.namespaces) {
    by_name.emplace(NameOf(entry), &entry);
  }
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto found = by_name.find(NameOf(entries_[i]));
    if (found != by_name.end() && HasSameForm(*found->second, entries_[i]) &&
        IsWhole(writer_, *found->second)) {
      finished_[i] = true;
      ++taken_over_;
      PutUnder(entries_[i], *found->second);
      read_ += entries_[i].logical_bytes;
    }
  }
}

void Savepoints::TakeOverUnfinished(const repo::Manifest& partial) {
  std::map<Name, const repo::UnfinishedNamespace*> by_name;
  for (const repo::UnfinishedNamespace& unfinished : partial.unfinished) {
    by_name.emplace(NameOf(unfinished.entry), &unfinished);
  }
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto found = by_name.find(NameOf(entries_[i]));
    // Dropped and made again it is another collection, whatever its options.
    if (found != by_name.end() && !finished_[i] && HasSameForm(found->second->entry, entries_[i]) &&
        found->second->uuid == catalog_.namespaces[i].uuid &&
        IsWhole(writer_, found->second->entry)) {
      repo::UnfinishedNamespace cut = *found->second;
      cut.entry.indexes = entries_[i].indexes;
      read_ += cut.entry.logical_bytes;
      cuts_[i] = std::move(cut);
    }
  }
}

bool Savepoints::IsFinished(std::size_t index) const {
  const MutexLock lock(mutex_);
  return finished_[index];
}

std::optional<repo::UnfinishedNamespace> Savepoints::FindCut(std::size_t index) const {
  const MutexLock lock(mutex_);
  return cuts_[index];
}

std::uint64_t Savepoints::interval() const {
  return std::max(every_, read_ / kPartReadAgain);
}

std::uint64_t Savepoints::stride() const {
  const MutexLock lock(mutex_);
  return interval() / (4 * readers_);
}

repo::UnfinishedNamespace Savepoints::Begin(std::size_t index) const {
  const SourceNamespace& ns = catalog_.namespaces[index];
  return {.entry = EntryOf(ns), .uuid = ns.uuid};
}

void Savepoints::Advance(std::size_t index, repo::UnfinishedNamespace so_far, std::uint64_t bytes) {
  {
    const MutexLock lock(mutex_);
    cuts_[index] = std::move(so_far);
  }
  SaveIfDue(bytes);
}

void Savepoints::Forget(std::size_t index) {
  const MutexLock lock(mutex_);
  cuts_[index].reset();
}

void Savepoints::Finish(std::size_t index, WrittenNamespace written, std::uint64_t bytes) {
  {
    const MutexLock lock(mutex_);
    repo::NamespaceEntry& entry = entries_[index];
    entry.runs = std::move(written.runs);
    entry.base_runs = written.base_runs;
    entry.digest = written.digest;
    entry.logical_bytes = written.logical_bytes;
    finished_[index] = true;
    cuts_[index].reset();
  }
  SaveIfDue(bytes);
}

void Savepoints::SaveIfDue(std::uint64_t bytes) {
  const std::optional<repo::Manifest> due = MakeDue(bytes);
  if (!due) {
    return;
  }
  writer_.SavePartial(*due);
  const MutexLock lock(mutex_);
  saving_ = false;
}

std::optional<repo::Manifest> Savepoints::MakeDue(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  read_ += bytes;
  unsaved_ += bytes;
  if (saving_ || unsaved_ < interval() / 2) {
    return std::nullopt;
  }
  saving_ = true;
  unsaved_ = 0;
  repo::Manifest due = head_;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (finished_[i]) {
      due.namespaces.push_back(entries_[i]);
    } else if (const std::optional<repo::UnfinishedNamespace>& cut = cuts_[i]) {
      due.unfinished.push_back(*cut);
    }
  }
  return due;
}

std::vector<repo::NamespaceEntry> Savepoints::Take() {
  const MutexLock lock(mutex_);
  return std::move(entries_);
}

}  // namespace tidemark::engine
