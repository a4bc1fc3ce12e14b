#include "engine/internal/chunk_healer.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "base/error.h"
#include "bson/builder.h"
#include "engine/internal/chunk_cutter.h"
#include "engine/internal/run_builder.h"

namespace tidemark::engine {
namespace {

// Of one question to the source.
constexpr std::size_t kMaxAsked = 1000;             // documents
constexpr std::size_t kMaxAskedBytes = 1U << 20;    // of their _ids
constexpr std::size_t kMaxAnswerBytes = 64U << 20;  // of documents that are as they were

constexpr std::string_view kFromSource = "from the documents of the cluster";
constexpr std::string_view kFromKeys = "from its keys";
constexpr std::string_view kFromDocuments = "from its documents";
constexpr std::string_view kFromPacks = "from what packs hold";

// The reason why a chunk stays damaged.
[[noreturn]] void Fail(const std::string& why) {
  throw Error(ErrorCode::kNotFound, why);
}

bool IsDamage(const Error& error) {
  return error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kCorrupt;
}

ByteView TakeDocument(ByteView& rest) {
  const ByteView document = rest.first(bson::FrontDocumentSize(rest));
  rest = rest.subspan(document.size());
  return document;
}

Bytes Copy(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

void AddLe64(Bytes& out, std::uint64_t value) {
  out.resize(out.size() + sizeof(value));
  StoreLe64(&out[out.size() - sizeof(value)], value);
}

}  // namespace

// ---- RunKeys

RunKeys::RunKeys(repo::DamagedProject& damaged, const repo::Run& run, std::uint64_t first)
    : damaged_(damaged), run_(run), skipped_(first) {
  if (run.key_lists.empty()) {
    Fail("its run has no keys");
  }
}

bool RunKeys::LoadBlock() {
  while (next_chunk_ == list_.size()) {
    if (next_list_ == run_.key_lists.size()) {
      return false;
    }
    const repo::ChunkRef& list = run_.key_lists[next_list_++];
    list_.clear();
    next_chunk_ = 0;
    if (skipped_ >= list.documents) {
      skipped_ -= list.documents;
    } else {
      list_ = damaged_.LoadList(list);
    }
  }
  const repo::ChunkRef& ref = list_[next_chunk_++].ref;
  if (skipped_ >= ref.documents) {
    skipped_ -= ref.documents;
    return LoadBlock();
  }
  block_ = damaged_.LoadKeys(ref);
  at_ = 0;
  rest_ = block_.keys;
  return true;
}

std::optional<RunKeys::Entry> RunKeys::Next() {
  do {
    while (at_ == block_.fingerprints.size()) {
      if (!LoadBlock()) {
        return std::nullopt;
      }
    }
    const Entry entry{TakeDocument(rest_), block_.fingerprints[at_]};
    ++at_;
    if (skipped_ == 0) {
      return entry;
    }
    --skipped_;
  } while (true);
}

// ---- ChunkHealer

void ChunkHealer::HealAll() {
  std::size_t before = 0;
  std::size_t healed = 0;
  do {
    before = healed;
    healed = 0;
    replayed_.clear();
    unlisted_.clear();
    found_unlisted_ = false;
    for (std::size_t number = 0; number < damaged_.size(); ++number) {
      if (!damaged_.chunk(number).healed) {
        ReportProgress(number);
        Heal(number);
      }
      healed += damaged_.chunk(number).healed ? 1 : 0;
    }
  } while (healed != before);
}

void ChunkHealer::ReportProgress(std::size_t number) const {
  if (run_.stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled, "repairing the repository: cancelled");
  }
  if (run_.on_progress) {
    run_.on_progress(
        {.phase = "healing", .documents_done = number, .documents_total = damaged_.size()});
  }
}

void ChunkHealer::Heal(std::size_t number) {
  const repo::DamagedChunk chunk = damaged_.chunk(number);  // offers may move it
  try {
    if (chunk.use->run.natural_order) {
      Fail("its documents have no order of _id: the cluster cannot be asked for them");
    }
    HealKind(chunk);
    if (!damaged_.chunk(number).healed) {
      damaged_.Explain(number, "what it held cannot be made anew as it was");
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCancelled) {
      throw;
    }
    damaged_.Explain(number, std::string(error.message()));
  }
}

void ChunkHealer::HealKind(const repo::DamagedChunk& chunk) {
  switch (chunk.kind) {
    case repo::ChunkKind::kData:
      return HealData(chunk);
    case repo::ChunkKind::kKeys:
      return HealKeys(chunk);
    case repo::ChunkKind::kList:
      break;
  }
  if (!chunk.of_keys) {
    HealDataList(chunk);
  } else if (replayed_.insert(chunk.use.get()).second) {
    HealKeyLists(chunk.use->run);
  }
}

// ---- documents of the source

DocumentSource& ChunkHealer::Source() const {
  if (source_ == nullptr) {
    Fail("there is no cluster to take its documents from");
  }
  return *source_;
}

void ChunkHealer::ReadAgain(const repo::DamagedChunk& chunk, const DocumentVisitor& visit) {
  if (HasKeys(chunk)) {
    ReadByKeys(chunk, visit);
  } else {
    ReadFromFirst(chunk, visit);
  }
}

namespace {

// Documents that are asked for together, in order.
struct Question {
  std::vector<Bytes> ids;
  std::vector<std::uint64_t> fingerprints;
  std::size_t bytes = 0;

  void Add(const RunKeys::Entry& entry) {
    ids.push_back(Copy(entry.key));
    fingerprints.push_back(entry.fingerprint);
    bytes += entry.key.size();
  }

  bool Full() const { return ids.size() == kMaxAsked || bytes >= kMaxAskedBytes; }
};

// Those that are as they were, by _id.
std::map<Bytes, Bytes> Ask(DocumentSource& source,
                           const repo::DamagedProject& damaged,
                           const repo::RunUse& use,
                           const Question& question) {
  std::map<Bytes, std::uint64_t> wanted;
  for (std::size_t i = 0; i < question.ids.size(); ++i) {
    wanted.emplace(question.ids[i], question.fingerprints[i]);
  }
  std::map<Bytes, Bytes> found;
  std::size_t bytes = 0;
  source.Find(use, question.ids, [&](ByteView document) {
    const auto at = wanted.find(EncodeKey(KeyOf(bson::Document(document))));
    if (at == wanted.end() || damaged.Fingerprint(codec::Sha256(document)) != at->second) {
      return;
    }
    bytes += document.size();
    if (bytes <= kMaxAnswerBytes) {
      found.emplace(at->first, Copy(document));
    }
  });
  return found;
}

}  // namespace

bool ChunkHealer::HasKeys(const repo::DamagedChunk& chunk) {
  try {
    RunKeys keys(damaged_, chunk.use->run, chunk.first_document);
    for (std::uint64_t left = chunk.ref.documents; left > 0; --left) {
      if (!keys.Next()) {
        return false;
      }
    }
    return true;
  } catch (const Error& error) {
    if (!IsDamage(error)) {
      throw;
    }
    return false;
  }
}

void ChunkHealer::ReadByKeys(const repo::DamagedChunk& chunk, const DocumentVisitor& visit) {
  std::uint64_t missing = 0;
  Question question;
  const auto ask = [&] {
    const std::map<Bytes, Bytes> found = Ask(Source(), damaged_, *chunk.use, question);
    for (const Bytes& id : question.ids) {
      const auto document = found.find(id);
      missing += document == found.end() ? 1 : 0;
      if (missing == 0) {
        visit(document->second);
      }
    }
    question = {};
  };
  RunKeys keys(damaged_, chunk.use->run, chunk.first_document);
  for (std::uint64_t left = chunk.ref.documents; left > 0; --left) {
    const std::optional<RunKeys::Entry> entry = keys.Next();
    if (!entry) {
      Fail("its run has fewer keys than documents");
    }
    if (chunk.use->run.deletes) {
      visit(bson::Builder().AppendElement("_id", DecodeKey(entry->key).value).Finish());
      continue;
    }
    question.Add(*entry);
    if (question.Full()) {
      ask();
    }
  }
  if (!question.ids.empty()) {
    ask();
  }
  if (missing > 0) {
    Fail(std::to_string(missing) + " of its " + std::to_string(chunk.ref.documents) +
         " documents have changed or gone at the cluster");
  }
}

void ChunkHealer::ReadFromFirst(const repo::DamagedChunk& chunk, const DocumentVisitor& visit) {
  if (chunk.use->run.deletes) {
    Fail("the keys of what it deleted are damaged as well");
  }
  if (chunk.first_id.empty()) {
    Fail("nobody knows where it began: its keys and lists are damaged as well");
  }
  Source().FindFrom(*chunk.use, chunk.first_id, chunk.ref.documents, run_.stop, visit);
}

// ---- data chunks

void ChunkHealer::HealData(const repo::DamagedChunk& chunk) {
  Bytes plain;
  ReadAgain(chunk, [&](ByteView document) {
    if (plain.size() + document.size() > chunk.ref.plain_size) {
      Fail("its documents have changed at the cluster");
    }
    plain.insert(plain.end(), document.begin(), document.end());
  });
  if (!damaged_.Offer(plain, chunk.use->run.deletes ? kFromKeys : kFromSource)) {
    Fail("its documents have changed at the cluster");
  }
}

// ---- keys

void ChunkHealer::ReadStored(const repo::Run& run,
                             const DocumentRange& range,
                             const DocumentVisitor& visit) {
  std::uint64_t at = 0;
  for (const repo::ChunkRef& list : run.lists) {
    if (range.Overlaps(at, list.documents)) {
      ReadListed(list, at, range, visit);
    }
    at += list.documents;
  }
}

void ChunkHealer::ReadListed(const repo::ChunkRef& list,
                             std::uint64_t at,
                             const DocumentRange& range,
                             const DocumentVisitor& visit) {
  for (const auto& [ref, first_id] : damaged_.LoadList(list)) {
    if (!range.Overlaps(at, ref.documents)) {
      at += ref.documents;
      continue;
    }
    const Bytes plain = damaged_.Load(ref);
    for (ByteView rest = plain; !rest.empty(); ++at) {
      const ByteView document = TakeDocument(rest);
      if (range.Overlaps(at, 1)) {
        visit(document);
      }
    }
  }
}

namespace {

void AddKey(repo::KeyBlock& block, const repo::DamagedProject& damaged, ByteView document) {
  AppendKey(KeyOf(bson::Document(document)), block.keys);
  block.fingerprints.push_back(damaged.Fingerprint(codec::Sha256(document)));
}

Bytes FrontKey(const repo::KeyBlock& block) {
  return Copy(ByteView(block.keys).first(bson::FrontDocumentSize(block.keys)));
}

}  // namespace

void ChunkHealer::HealKeys(const repo::DamagedChunk& chunk) {
  repo::KeyBlock block;
  const DocumentRange range{chunk.first_document, chunk.first_document + chunk.ref.documents};
  ReadStored(chunk.use->run, range, [&](ByteView document) { AddKey(block, damaged_, document); });
  damaged_.OfferKeys(block, kFromDocuments);
}

// As RunBuilder does: a key chunk is closed behind the data chunk that makes it large enough.
void ChunkHealer::HealKeyLists(const repo::Run& run) {
  ListCutter lists([this](const ListedChunks& list) { damaged_.OfferList(list, kFromDocuments); });
  repo::KeyBlock block;
  const auto close = [&] {
    lists.Add(damaged_.NameKeys(block), FrontKey(block));
    block = {};
  };
  for (const repo::ChunkRef& list : run.lists) {
    for (const auto& [ref, first_id] : damaged_.LoadList(list)) {
      const Bytes plain = damaged_.Load(ref);
      for (ByteView rest = plain; !rest.empty();) {
        AddKey(block, damaged_, TakeDocument(rest));
      }
      const std::size_t bytes =
          block.keys.size() + block.fingerprints.size() * sizeof(std::uint64_t);
      if (bytes >= kKeyChunkBytes) {
        close();
      }
    }
  }
  if (!block.fingerprints.empty()) {
    close();
  }
  lists.Finish();
}

// ---- lists of data chunks

namespace {

// The fingerprints of a run's documents, some of them read ahead. Confined.
class KeysAhead {
 public:
  KeysAhead(repo::DamagedProject& damaged, const repo::Run& run, std::uint64_t first)
      : keys_(damaged, run, first) {}

  // Whether so many are left.
  bool Has(std::size_t count) {
    while (ahead_.size() < count) {
      const std::optional<RunKeys::Entry> entry = keys_.Next();
      if (!entry) {
        return false;
      }
      ahead_.push_back(entry->fingerprint);
    }
    return true;
  }

  // REQUIRES: Has(1).
  std::uint64_t front() const { return ahead_.front(); }

  // Of the next so many. REQUIRES: Has(count).
  codec::Digest DigestOf(std::size_t count) const {
    Bytes bytes;
    for (std::size_t i = 0; i < count; ++i) {
      AddLe64(bytes, ahead_[i]);
    }
    return codec::Sha256(bytes);
  }

  void Drop(std::size_t count) {
    ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(count));
  }

 private:
  RunKeys keys_;
  std::deque<std::uint64_t> ahead_;
};

}  // namespace

void ChunkHealer::HealDataList(const repo::DamagedChunk& list) {
  if (!HealListFromPacks(list)) {
    HealListFromSource(list);
  }
}

const ChunkHealer::UnlistedChunks& ChunkHealer::FindUnlisted() {
  if (std::exchange(found_unlisted_, true)) {
    return unlisted_;
  }
  damaged_.ForEachUnlisted([this](const repo::ChunkId& id, ByteView plain) {
    Unlisted chunk{.ref = {.id = id, .plain_size = static_cast<std::uint32_t>(plain.size())}};
    Bytes fingerprints;
    std::uint64_t first = 0;
    for (ByteView rest = plain; !rest.empty(); ++chunk.ref.documents) {
      const ByteView document = TakeDocument(rest);
      const std::uint64_t fingerprint = damaged_.Fingerprint(codec::Sha256(document));
      if (chunk.ref.documents == 0) {
        first = fingerprint;
        chunk.first_id = EncodeKey(KeyOf(bson::Document(document)));
      }
      AddLe64(fingerprints, fingerprint);
    }
    chunk.fingerprints = codec::Sha256(fingerprints);
    unlisted_.emplace(first, std::move(chunk));
  });
  return unlisted_;
}

// The run's keys say which documents the listed chunks hold, one after the other. nullopt when a
// chunk is missing.
std::optional<ListedChunks> ChunkHealer::FindListed(const repo::DamagedChunk& list,
                                                    const UnlistedChunks& unlisted) {
  KeysAhead keys(damaged_, list.use->run, list.first_document);
  ListedChunks listed;
  for (std::uint64_t left = list.ref.documents; left > 0;) {
    if (!keys.Has(1) || listed.size() == repo::kMaxRefsPerList) {
      return std::nullopt;
    }
    const auto [first, end] = unlisted.equal_range(keys.front());
    const auto found = std::find_if(first, end, [&](const auto& candidate) {
      const Unlisted& chunk = candidate.second;
      return chunk.ref.documents <= left && keys.Has(chunk.ref.documents) &&
             keys.DigestOf(chunk.ref.documents) == chunk.fingerprints;
    });
    if (found == end) {
      return std::nullopt;
    }
    const Unlisted& chunk = found->second;
    listed.push_back({.ref = chunk.ref, .first_id = chunk.first_id});
    left -= chunk.ref.documents;
    keys.Drop(chunk.ref.documents);
  }
  return listed;
}

// False when the keys are damaged as well, or a chunk is missing.
bool ChunkHealer::HealListFromPacks(const repo::DamagedChunk& list) {
  try {
    const std::optional<ListedChunks> listed = FindListed(list, FindUnlisted());
    return listed && damaged_.OfferList(*listed, kFromPacks);
  } catch (const Error& error) {
    if (!IsDamage(error)) {
      throw;
    }
    return false;
  }
}

void ChunkHealer::HealListFromSource(const repo::DamagedChunk& list) {
  std::vector<ChunkCutter> cutters;
  for (const std::size_t size : ChunkSizes(options_.chunk_size)) {
    cutters.emplace_back(damaged_, size);
  }
  ReadAgain(list, [&cutters](ByteView document) {
    const codec::Digest hash = codec::Sha256(document);
    for (ChunkCutter& cutter : cutters) {
      cutter.Add(document, hash);
    }
  });
  const bool healed = std::ranges::any_of(cutters, [this](ChunkCutter& cutter) {
    const std::optional<ListedChunks> chunks = cutter.Finish();
    return chunks && damaged_.OfferList(*chunks, kFromSource);
  });
  if (!healed) {
    Fail("the documents of the cluster give another list of chunks");
  }
}

}  // namespace tidemark::engine
