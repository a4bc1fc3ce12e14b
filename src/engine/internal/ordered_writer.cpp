#include "engine/internal/ordered_writer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"

namespace tidemark::engine {
namespace {

std::span<const repo::Run> OwnRunsOf(const repo::UnfinishedNamespace& from) {
  return std::span(from.entry.runs).last(from.own_runs);
}

// The run that goes on; a new one where nothing was written.
repo::Run FindRun(const repo::UnfinishedNamespace& from, RunContent content) {
  const bool deletes = content == RunContent::kDeletions;
  const auto own = OwnRunsOf(from);
  const auto found = std::ranges::find(own, deletes, &repo::Run::deletes);
  return found == own.end() ? repo::Run{.deletes = deletes} : *found;
}

std::optional<repo::NamespaceEntry> BaseOf(const repo::UnfinishedNamespace& from) {
  if (from.entry.runs.size() == from.own_runs) {
    return std::nullopt;
  }
  repo::NamespaceEntry base = from.entry;
  base.runs.resize(base.runs.size() - from.own_runs);
  return base;
}

}  // namespace

OrderedWriter::OrderedWriter(const RunSink& sink,
                             std::string what,
                             const repo::NamespaceEntry* base,
                             const std::stop_token& stop)
    : sink_(sink),
      source_{.loader = LoaderOf(sink.writer), .what = std::move(what), .stop = stop},
      base_(base == nullptr ? std::nullopt : std::optional(*base)),
      documents_(sink, RunOrder::kById),
      deletions_(sink, RunOrder::kById, RunContent::kDeletions) {
  if (base_) {
    sieve_.emplace(source_, *base_, sink_.writer);
  }
}

OrderedWriter::OrderedWriter(const RunSink& sink,
                             std::string what,
                             const repo::UnfinishedNamespace& from,
                             const std::stop_token& stop)
    : sink_(sink),
      source_{.loader = LoaderOf(sink.writer), .what = std::move(what), .stop = stop},
      base_(BaseOf(from)),
      before_{.digest = from.entry.digest, .bytes = from.entry.logical_bytes},
      documents_(sink, FindRun(from, RunContent::kDocuments)),
      deletions_(sink, FindRun(from, RunContent::kDeletions)),
      any_(true) {
  written_before_ = FindRun(from, RunContent::kDocuments).logical_bytes;
  const DocumentKey read_to = DecodeKey(from.read_to);
  last_key_.Assign(read_to);
  if (base_) {
    sieve_.emplace(source_, *base_, sink_.writer);
    sieve_->StartBehind(read_to);
  }
}

void OrderedWriter::Delete(const DocumentKey& key) {
  deletions_.Add(DeletionOf(key), key);
}

void OrderedWriter::Add(ByteView document) {
  const DocumentKey key = KeyOf(bson::Document(document));
  if (!key.present || (any_ && CompareKeys(last_key_.Get(), key) >= 0)) {
    throw Error(ErrorCode::kUnsupported,
                "reading " + source_.what + " in order of _id: a document is not in its place");
  }
  any_ = true;
  last_key_.Assign(key);
  const bool stored =
      !sieve_ || sieve_->LetsThroughInOrder(
                     document, key, [this](const DocumentKey& missing) { Delete(missing); });
  if (stored) {
    documents_.Add(document, key);
  }
}

// Deletions first: what comes back under a deleted _id is newer.
std::vector<repo::Run> OrderedWriter::OwnRuns() {
  std::vector<repo::Run> runs;
  for (RunBuilder* builder : {&deletions_, &documents_}) {
    if (!builder->empty()) {
      runs.push_back(builder->Flush().run);
    }
  }
  return runs;
}

OrderedWriter::Counts OrderedWriter::CountAll() {
  Counts all = before_;
  const BuiltRun& built = documents_.Flush();
  all.digest.Merge(built.digest);
  all.bytes += built.run.logical_bytes - written_before_;
  if (sieve_) {
    all.digest.Merge(sieve_->unchanged());
    all.bytes += sieve_->unchanged_bytes();
  }
  return all;
}

void OrderedWriter::Save(repo::UnfinishedNamespace& unfinished) {
  TIDEMARK_CHECK(any_);
  std::vector<repo::Run> own = OwnRuns();
  const Counts all = CountAll();
  repo::NamespaceEntry& entry = unfinished.entry;
  entry.runs = base_ ? base_->runs : std::vector<repo::Run>();
  entry.base_runs = base_ ? base_->base_runs : 0;
  unfinished.own_runs = own.size();
  std::ranges::move(own, std::back_inserter(entry.runs));
  entry.digest = all.digest;
  entry.logical_bytes = all.bytes;
  unfinished.read_to = position();
}

WrittenNamespace OrderedWriter::Finish() {
  if (sieve_) {
    sieve_->PassRest([this](const DocumentKey& missing) { Delete(missing); });
  }
  std::vector<repo::Run> own = OwnRuns();
  const Counts all = CountAll();
  WrittenNamespace written{.digest = all.digest, .logical_bytes = all.bytes};
  written.stored_documents = documents_.Flush().run.documents;
  written.removed_documents = deletions_.Flush().run.documents;
  written.runs = base_ ? base_->runs : std::vector<repo::Run>();
  std::ranges::move(own, std::back_inserter(written.runs));
  written.base_runs = base_ ? base_->base_runs : written.runs.size();
  if (base_) {
    Compact(sink_, source_, written);
  }
  return written;
}

}  // namespace tidemark::engine
