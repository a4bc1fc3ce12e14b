#include "base/error.h"
#include "base/object_id.h"
#include "tests/support/memory/store.h"

// The store's documents, and its oplog.
namespace tidemark::memory {
namespace {

constexpr std::size_t kMaxUserDocument = 16U << 20;  // bytes

bson::Document Doc(const Bytes& bytes) {
  return bson::Document(bytes);
}

Bytes IdOf(ByteView document) {
  bson::Builder key;
  if (const auto id = bson::Document(document).Find("_id")) {
    key.AppendElement("_id", *id);
  }
  return key.Finish();
}

CommandError DuplicateId(const Namespace& ns, ByteView document) {
  return CommandError(11000,
                      "DuplicateKey",
                      "E11000 duplicate key error collection: " + ns.FullName() +
                          " index: _id_ dup key: " + bson::ToJson(Doc(IdOf(document))));
}

}  // namespace

Store::Inserted Store::Insert(const NamespacePtr& ns,
                              ByteView documents,
                              std::int32_t first_number,
                              Order order,
                              const OnRefused& on_refused) {
  CheckIsNoView(*ns);
  Inserted done;
  const Documents::Kept kept = ns->documents.Keep(documents);
  const Documents::Hold hold(ns->documents, kept.segment);
  ByteView rest = kept.bytes;
  while (!rest.empty()) {
    const ByteView document = rest.first(bson::FrontDocumentSize(rest));
    try {
      if (options_.checks) {
        bson::Validate(document);
      }
      InsertOne(ns, {document, kept.segment});
      ++done.taken;
    } catch (const CommandError& error) {
      on_refused(first_number + done.seen, error);
      if (order == Order::kOrdered) {
        return done;
      }
    }
    rest = rest.subspan(document.size());
    ++done.seen;
  }
  return done;
}

void Store::InsertOne(const NamespacePtr& ns, const Documents::Kept& document) {
  if (document.bytes.size() > kMaxUserDocument) {
    throw CommandError(
        10334,
        "BSONObjectTooLarge",
        "object to insert too large. size in bytes: " + std::to_string(document.bytes.size()) +
            ", max size: " + std::to_string(kMaxUserDocument));
  }
  const Documents::Kept with_id = WithId(ns, document);
  if (options_.checks) {
    const auto id = bson::Document(with_id.bytes).Find("_id");
    TIDEMARK_CHECK(id.has_value());
    if (ns->documents.FindId(*id)) {
      throw DuplicateId(*ns, with_id.bytes);
    }
  }
  ns->documents.Append(with_id);
  if (oplog_ != nullptr) {
    const Bytes key = IdOf(with_id.bytes);
    const bson::Document key_document(key);
    LogDocument("i", ns, bson::Document(with_id.bytes), &key_document);
  }
  KeepWithinCap(*ns);
}

// The _id is a document's first element; the server makes one where it is missing.
Documents::Kept Store::WithId(const NamespacePtr& ns, const Documents::Kept& document) {
  const bson::Document given(document.bytes);
  if (!given.empty() && given.begin()->name == "_id") {
    return document;
  }
  bson::Builder completed;
  if (const auto id = given.Find("_id")) {
    completed.AppendElement("_id", *id);
  } else {
    const ObjectId fresh = ObjectId::Generate(clock_.Now(), random_);
    AppendObjectId(completed, "_id", fresh.bytes());
  }
  for (const bson::Element& element : given) {
    if (element.name != "_id") {
      completed.AppendElement(element.name, element);
    }
  }
  return ns->documents.Keep(completed.Finish());
}

void Store::KeepWithinCap(Namespace& ns) {
  Documents& documents = ns.documents;
  while (ns.capped && documents.count() > 1 &&
         ((ns.capped_bytes != 0 && documents.bytes() > ns.capped_bytes) ||
          (ns.capped_documents != 0 && documents.count() > ns.capped_documents))) {
    documents.Erase(documents.begin());
  }
}

void Store::Update(const NamespacePtr& ns,
                   Documents::Position position,
                   ByteView document,
                   const bson::Document& entry) {
  const Bytes key = IdOf(document);
  const Bytes object = CopyOf(entry.bytes());
  ns->documents.Replace(position, document);
  const bson::Document key_document(key);
  LogDocument("u", ns, Doc(object), &key_document);
}

void Store::Delete(const NamespacePtr& ns, Documents::Position position) {
  const Bytes key = IdOf(ns->documents.At(position));
  ns->documents.Erase(position);
  LogDocument("d", ns, Doc(key), nullptr);
}

// ---- oplog

// `old`: the entry's o2, what the command does away with.
void Store::LogCommand(const NamespacePtr& ns, const Bytes& command, const Bytes& old) {
  if (ns->database == "local") {
    return;
  }
  bson::Builder entry;
  entry.Append("op", "c").Append("ns", ns->database + ".$cmd");
  AppendUuid(entry, "ui", ns->uuid).Append("o", Doc(command));
  if (!old.empty()) {
    entry.Append("o2", Doc(old));
  }
  Log(entry);
}

void Store::LogDocument(const char* op,
                        const NamespacePtr& ns,
                        const bson::Document& object,
                        const bson::Document* key) {
  if (oplog_ == nullptr || ns->database == "local") {
    return;
  }
  bson::Builder entry;
  entry.Append("op", op).Append("ns", ns->FullName());
  AppendUuid(entry, "ui", ns->uuid).Append("o", object);
  if (key != nullptr) {
    entry.Append("o2", *key);
  }
  Log(entry);
}

void Store::AppendNoop(const bson::Document& message) {
  bson::Builder entry;
  entry.Append("op", "n").Append("ns", "").Append("o", message);
  Log(entry);
}

void Store::Log(bson::Builder& entry) {
  if (oplog_ == nullptr) {
    return;
  }
  const OplogTime time = NextTime();
  entry.AppendTimestamp("ts", time.seconds, time.increment);
  entry.Append("t", term_).Append("v", std::int64_t{2});
  entry.AppendDateTime("wall", ToMicros(clock_.Now()) / 1000);
  oplog_->documents.Append(oplog_->documents.Keep(entry.Finish()));
  KeepWithinCap(*oplog_);
}

OplogTime Store::NextTime() {
  const auto now = static_cast<std::uint32_t>(ToMicros(clock_.Now()) / 1'000'000);
  last_time_ = now > last_time_.seconds ? OplogTime{now, 1}
                                        : OplogTime{last_time_.seconds, last_time_.increment + 1};
  return last_time_;
}

}  // namespace tidemark::memory
