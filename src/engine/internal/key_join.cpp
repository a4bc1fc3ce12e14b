#include "engine/internal/key_join.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tidemark::engine {
namespace {

// About a key chunk.
constexpr std::size_t kManySteps = 8192;

}  // namespace

// ---- RunChunks

const RunChunks::Listed& RunChunks::List(std::size_t number) {
  if (loaded_ != number) {
    if (source_.stop.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "reading " + source_.what + ": cancelled");
    }
    list_ = source_.loader.load_list(lists_[number]);
    loaded_ = number;
    if (list_.empty()) {
      throw Error(ErrorCode::kCorrupt, "reading " + source_.what + ": a list of chunks is empty");
    }
  }
  return list_;
}

RunChunks::Place RunChunks::Find(const DocumentKey& key) {
  Place place;
  for (std::size_t next = 1; next < lists_.size(); ++next) {
    if (CompareKeys(DecodeKey(List(next).front().first_id), key) > 0) {
      break;
    }
    place.first_ordinal += lists_[place.list].documents;
    place.list = next;
  }
  const Listed& chunks = List(place.list);
  const auto above = std::ranges::partition_point(chunks, [&key](const auto& chunk) {
    return CompareKeys(DecodeKey(chunk.first_id), key) <= 0;
  });
  const auto found = above == chunks.begin() ? above : above - 1;
  for (auto before = chunks.begin(); before != found; ++before) {
    place.first_ordinal += before->ref.documents;
  }
  place.chunk = static_cast<std::size_t>(found - chunks.begin());
  return place;
}

std::optional<RunChunks::Place> RunChunks::After(const Place& place) {
  const Listed& chunks = List(place.list);
  const std::uint64_t next = place.first_ordinal + chunks[place.chunk].ref.documents;
  if (place.chunk + 1 < chunks.size()) {
    return Place{.list = place.list, .chunk = place.chunk + 1, .first_ordinal = next};
  }
  if (place.list + 1 < lists_.size()) {
    return Place{.list = place.list + 1, .chunk = 0, .first_ordinal = next};
  }
  return std::nullopt;
}

// ---- KeyCursor

KeyCursor::KeyCursor(RunChunks& keys, std::size_t number, const DocumentKey& from)
    : keys_(keys),
      number_(number),
      start_(CompareKeys(DecodeKey(keys.run().first_id), from) < 0 ? EncodeKey(from)
                                                                   : keys.run().first_id) {}

bool KeyCursor::Open() {
  const DocumentKey from = DecodeKey(start_);
  place_ = keys_.Find(from);
  opened_ = true;
  LoadBlock();
  while (CompareKeys(key_, from) < 0) {
    if (!Advance()) {
      return false;
    }
  }
  return true;
}

void KeyCursor::LoadBlock() {
  const repo::ChunkRef ref = keys_.RefOf(place_);
  block_ = keys_.source().loader.load_keys(ref);
  if (block_.fingerprints.size() != ref.documents || block_.fingerprints.empty() ||
      place_.first_ordinal + ref.documents > keys_.run().documents) {
    throw Error(ErrorCode::kCorrupt,
                "reading the keys of " + keys_.source().what +
                    ": a key chunk does not hold as many as its list says");
  }
  at_ = 0;
  rest_ = block_.keys;
  TakeKey();
}

void KeyCursor::TakeKey() {
  const std::size_t size = bson::FrontDocumentSize(rest_);
  key_ = DecodeKey(rest_.first(size));
  rest_ = rest_.subspan(size);
}

bool KeyCursor::Advance() {
  if (++at_ < block_.fingerprints.size()) {
    TakeKey();
    return true;
  }
  const std::optional<RunChunks::Place> next = keys_.After(place_);
  if (!next) {
    return false;
  }
  place_ = *next;
  LoadBlock();
  return true;
}

// ---- keys of several runs

const DocumentKey& LeastKey() {
  static const DocumentKey key{.present = true,
                               .value = {.type = bson::Type::kMinKey, .name = {}, .value = {}}};
  return key;
}

std::vector<RunChunks> KeysOf(const MergeSource& source, std::span<const repo::Run> runs) {
  std::vector<RunChunks> keys;
  keys.reserve(runs.size());
  for (const repo::Run& run : runs) {
    keys.emplace_back(source, run, &repo::Run::key_lists);
  }
  return keys;
}

PullMerge<KeyCursor> MergeKeys(std::vector<RunChunks>& keys, const DocumentKey& from) {
  std::vector<std::unique_ptr<KeyCursor>> cursors;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const repo::Run& run = keys[i].run();
    if (run.documents == 0 || CompareKeys(from, DecodeKey(run.last_id)) > 0) {
      continue;
    }
    auto cursor = std::make_unique<KeyCursor>(keys[i], i, from);
    // A cursor that starts inside its run knows its key only when it is open.
    const bool inside = CompareKeys(DecodeKey(run.first_id), from) < 0;
    if (!inside || cursor->Open()) {
      cursors.push_back(std::move(cursor));
    }
  }
  return PullMerge<KeyCursor>(std::move(cursors));
}

// ---- KeyJoin

KeyJoin::KeyJoin(const MergeSource& source, std::span<const repo::Run> runs)
    : runs_(KeysOf(source, runs)), seen_(runs.size()) {
  StartAt(LeastKey());
}

void KeyJoin::StartAt(const DocumentKey& key) {
  merge_ = MergeKeys(runs_, key);
  at_document_ = NextDocument();
}

bool KeyJoin::NextDocument() {
  while (merge_.Next()) {
    if (!merge_.current().key().present) {
      throw Error(ErrorCode::kUnsupported,
                  "comparing with the snapshot before: a document has no _id");
    }
    if (!merge_.current().deletes()) {
      return true;
    }
  }
  return false;
}

const KeyCursor* KeyJoin::Find(const DocumentKey& key) {
  for (std::size_t steps = 0; at_document_ && CompareKeys(merge_.current().key(), key) < 0;
       ++steps) {
    if (steps == kManySteps) {
      StartAt(key);  // by the lists, past the key chunks between
    } else {
      at_document_ = NextDocument();
    }
  }
  const bool found = at_document_ && SameDocument(merge_.current().key(), key);
  return found ? &merge_.current() : nullptr;
}

KeyJoin::Verdict KeyJoin::Look(const DocumentKey& key, std::uint64_t fingerprint) {
  const KeyCursor* known = Find(key);
  if (known == nullptr) {
    return Verdict::kDiffers;
  }
  if (!MarkSeen()) {
    return Verdict::kRepeated;
  }
  return known->fingerprint() == fingerprint ? Verdict::kUnchanged : Verdict::kDiffers;
}

KeyJoin::Verdict KeyJoin::Pass(const DocumentKey& key,
                               std::uint64_t fingerprint,
                               const KeyVisitor& missing) {
  for (; at_document_ && CompareKeys(merge_.current().key(), key) < 0;
       at_document_ = NextDocument()) {
    missing(merge_.current().key());
  }
  if (!at_document_ || !SameDocument(merge_.current().key(), key)) {
    return Verdict::kDiffers;
  }
  const bool same = merge_.current().fingerprint() == fingerprint;
  at_document_ = NextDocument();
  return same ? Verdict::kUnchanged : Verdict::kDiffers;
}

void KeyJoin::PassRest(const KeyVisitor& missing) {
  for (; at_document_; at_document_ = NextDocument()) {
    missing(merge_.current().key());
  }
}

void KeyJoin::StartBehind(const DocumentKey& key) {
  StartAt(key);
  if (at_document_ && SameDocument(merge_.current().key(), key)) {
    at_document_ = NextDocument();
  }
}

bool KeyJoin::MarkSeen() {
  const KeyCursor& at = merge_.current();
  std::vector<bool>& seen = seen_[at.number()];
  if (seen.empty()) {
    seen.resize(runs_[at.number()].run().documents);
  }
  const bool first = !seen[at.ordinal()];
  seen[at.ordinal()] = true;
  return first;
}

bool KeyJoin::IsSeen() const {
  const KeyCursor& at = merge_.current();
  const std::vector<bool>& seen = seen_[at.number()];
  return !seen.empty() && seen[at.ordinal()];
}

void KeyJoin::ForEachMissing(const std::function<void(const DocumentKey& key)>& visit) {
  StartAt(LeastKey());
  for (; at_document_; at_document_ = NextDocument()) {
    if (!IsSeen()) {
      visit(merge_.current().key());
    }
  }
}

}  // namespace tidemark::engine
