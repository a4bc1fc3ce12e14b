#include <algorithm>

#include "base/error.h"
#include "base/stage_group.h"
#include "bson/builder.h"
#include "delivery/internal/batch.h"
#include "delivery/internal/delta.h"
#include "delivery/internal/narrow_reader.h"
#include "delivery/internal/target_limits.h"
#include "engine/document_reader.h"

namespace tidemark::delivery {
namespace {

bson::Element IdOf(ByteView document) {
  const auto id = bson::Document(document).Find("_id");
  if (!id) {
    throw Error(ErrorCode::kUnsupported, "it holds a document without _id");
  }
  return *id;
}

Bytes KeyOf(ByteView document) {
  return bson::Builder().AppendElement("", IdOf(document)).Finish();
}

std::vector<Bytes> KeysOf(const std::vector<ByteView>& documents) {
  std::vector<Bytes> keys;
  keys.reserve(documents.size());
  for (const ByteView document : documents) {
    keys.push_back(KeyOf(document));
  }
  return keys;
}

// Equal in order is not the same: 1 and 1.0.
bool SameId(const bson::Element& a, const bson::Element& b) {
  return a.type == b.type && std::ranges::equal(a.value, b.value);
}

// An empty batch ends the stream: a queue that was aborted must not look like one.
void ReadBatches(const DeltaLoad& load, const std::stop_token& stop, BatchQueue& queue) {
  Batch batch;
  const auto push = [&] {
    const ByteCount size{batch.bytes()};
    queue.Push(std::exchange(batch, Batch()), size);
  };
  engine::ReadDocuments(load.reader, load.entry, stop, [&](ByteView document) {
    if (!batch.Holds(document)) {
      push();
    }
    batch.Add(document);
  });
  if (!batch.empty()) {
    push();
  }
  push();
}

// The snapshot's documents, one at a time. Confined.
class SnapshotSide {
 public:
  explicit SnapshotSide(BatchQueue& queue) : queue_(queue) { Fill(); }

  bool AtEnd() const { return at_ == views_.size(); }

  // REQUIRES: !AtEnd().
  ByteView Current() const { return views_[at_]; }

  void Next() {
    if (++at_ == views_.size()) {
      Fill();
    }
  }

 private:
  void Fill() {
    auto next = queue_.Pop();
    if (!next) {
      throw Error(ErrorCode::kCancelled, "comparing documents: cancelled");
    }
    batch_ = std::move(*next);
    views_ = batch_.Views();
    at_ = 0;
  }

  BatchQueue& queue_;
  Batch batch_;
  std::vector<ByteView> views_;
  std::size_t at_ = 0;
};

// The changes that are still to be sent. Confined.
class Edits {
 public:
  Edits(RestoreTarget& target, const repo::NamespaceEntry& entry)
      : target_(target), entry_(entry) {}

  void Insert(ByteView document) {
    Add(inserts_, document);
    ++changes_.inserted;
  }

  void Replace(ByteView there, ByteView document) {
    if (SameId(IdOf(there), IdOf(document))) {
      Add(replacements_, document);
    } else {  // an _id cannot be changed in place
      Remove(there);
      Add(inserts_, document);
    }
    ++changes_.replaced;
  }

  void Delete(ByteView there) {
    Remove(there);
    ++changes_.deleted;
  }

  void LeaveAlone() { ++changes_.left_alone; }

  // Deletions first: they may free values that a unique index keeps.
  void Flush() {
    if (!deletions_.empty()) {
      target_.DeleteMany(entry_, std::exchange(deletions_, {}));
    }
    if (!replacements_.empty()) {
      target_.ReplaceMany(entry_, replacements_.Views());
      replacements_.Clear();
    }
    if (!inserts_.empty()) {
      target_.InsertMany(entry_, inserts_.Views());
      inserts_.Clear();
    }
  }

  const domain::RestoreChanges& changes() const { return changes_; }

 private:
  void Add(Batch& batch, ByteView document) {
    if (!batch.Holds(document)) {
      Flush();
    }
    batch.Add(document);
  }

  void Remove(ByteView there) {
    if (deletions_.size() == kBatchDocuments) {
      Flush();
    }
    deletions_.push_back(KeyOf(there));
  }

  RestoreTarget& target_;
  const repo::NamespaceEntry& entry_;
  std::vector<Bytes> deletions_;
  Batch replacements_;
  Batch inserts_;
  domain::RestoreChanges changes_;
};

// Both sides come in order of _id. Confined.
class Comparison {
 public:
  Comparison(const DeltaLoad& load, BatchQueue& queue)
      : load_(load), snapshot_(queue), edits_(load.target, load.entry) {}

  domain::RestoreChanges Run(const std::stop_token& stop) {
    load_.target.ReadById(load_.entry, stop, [this](ByteView there) { See(there); });
    while (!snapshot_.AtEnd()) {
      edits_.Insert(snapshot_.Current());
      Advance();
    }
    edits_.Flush();
    return edits_.changes();
  }

 private:
  void See(ByteView there) {
    CheckInOrder(there);
    const bson::Element id = IdOf(there);
    while (!snapshot_.AtEnd() && bson::CompareValues(IdOf(snapshot_.Current()), id) < 0) {
      edits_.Insert(snapshot_.Current());
      Advance();
    }
    if (snapshot_.AtEnd() || bson::CompareValues(IdOf(snapshot_.Current()), id) != 0) {
      edits_.Delete(there);
      return;
    }
    if (std::ranges::equal(snapshot_.Current(), there)) {
      edits_.LeaveAlone();
    } else {
      edits_.Replace(there, snapshot_.Current());
    }
    Advance();
  }

  // A server may sort otherwise than MongoDB does, or by a collation: comparing would then take
  // present documents for missing ones.
  void CheckInOrder(ByteView there) {
    Bytes key = KeyOf(there);
    if (!last_key_.empty() && bson::CompareValues(*bson::Document(last_key_).begin(),
                                                  *bson::Document(key).begin()) >= 0) {
      throw Error(ErrorCode::kUnsupported, "the target does not deliver in MongoDB's order of _id");
    }
    last_key_ = std::move(key);
  }

  void Advance() {
    load_.compared(1, snapshot_.Current().size());
    snapshot_.Next();
  }

  const DeltaLoad& load_;
  SnapshotSide snapshot_;
  Edits edits_;
  Bytes last_key_;
};

// The target's documents with the batch's _ids, and what they tell. Confined.
class PickedBatch {
 public:
  PickedBatch(const FilteredLoad& load, const Batch& batch)
      : load_(load), documents_(batch.Views()), keys_(KeysOf(documents_)) {}

  domain::RestoreChanges Write() {
    std::vector<Bytes> there = Read();
    std::ranges::sort(there, Before);
    domain::RestoreChanges changes;
    std::vector<ByteView> different;
    std::vector<Bytes> in_the_way;
    for (const ByteView document : documents_) {
      const auto found = std::ranges::lower_bound(there, document, Before);
      if (found == there.end() || Before(document, *found)) {
        ++changes.inserted;
      } else if (std::ranges::equal(*found, document)) {
        ++changes.left_alone;
        continue;
      } else {
        ++changes.replaced;
        if (!SameId(IdOf(*found), IdOf(document))) {
          in_the_way.push_back(KeyOf(*found));
        }
      }
      different.push_back(document);
    }
    Send(in_the_way, different);
    return changes;
  }

  // Nothing is called restored that was not read back.
  void Verify() {
    repo::NamespaceDigest wanted;
    for (const ByteView document : documents_) {
      wanted.Add(document);
    }
    repo::NamespaceDigest found;
    for (const Bytes& document : Read()) {
      found.Add(document);
    }
    if (!(found == wanted)) {
      throw Error(ErrorCode::kConflict,
                  "restored documents of " + NameOf(load_.entry) + " differ from the snapshot",
                  "is another client writing to the target?");
    }
  }

 private:
  static bool Before(ByteView a, ByteView b) { return bson::CompareValues(IdOf(a), IdOf(b)) < 0; }

  void Send(const std::vector<Bytes>& in_the_way, const std::vector<ByteView>& different) {
    if (!in_the_way.empty()) {
      load_.target.DeleteMany(load_.entry, in_the_way);
    }
    if (!different.empty()) {
      load_.target.ReplaceMany(load_.entry, different);
    }
  }

  std::vector<Bytes> Read() {
    std::vector<Bytes> found;
    load_.target.FindByIds(load_.entry, keys_, [&found](ByteView document) {
      found.emplace_back(document.begin(), document.end());
    });
    return found;
  }

  const FilteredLoad& load_;
  std::vector<ByteView> documents_;
  std::vector<Bytes> keys_;
};

}  // namespace

domain::RestoreChanges DeltaLoad::Run(const std::stop_token& stop) const {
  BatchQueue queue(ByteCount{2 * kBatchBytes});
  domain::RestoreChanges changes;
  StageGroup group(stop);
  group.OnStop([&queue] { queue.Abort(); });
  group.Start("restore-read",
              [&](const std::stop_token& reading) { ReadBatches(*this, reading, queue); });
  group.Start("restore-compare", [&](const std::stop_token& comparing) {
    changes = Comparison(*this, queue).Run(comparing);
  });
  group.Wait();
  if (stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled, "comparing documents: cancelled");
  }
  return changes;
}

domain::RestoreChanges FilteredLoad::Run(const std::stop_token& stop) const {
  domain::RestoreChanges changes;
  Batch batch;
  const auto write = [&] {
    PickedBatch picked(*this, batch);
    changes += picked.Write();
    picked.Verify();
    batch.Clear();
  };
  NarrowReader narrow(reader, ids);
  engine::ReadDocuments(narrow, narrow.Narrow(entry), stop, [&](ByteView document) {
    seen(1, document.size());
    if (!ids.Matches(IdOf(document))) {
      return;
    }
    if (!batch.Holds(document)) {
      write();
    }
    batch.Add(document);
  });
  if (!batch.empty()) {
    write();
  }
  return changes;
}

}  // namespace tidemark::delivery
