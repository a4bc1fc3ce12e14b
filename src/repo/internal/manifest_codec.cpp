#include "repo/internal/manifest_codec.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "bson/builder.h"
#include "repo/internal/byte_reader.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kManifestMagic = "TMRKMNFT";
constexpr int kManifestLevel = 3;                    // zstd; manifests are small and repetitive
constexpr std::size_t kListRecordSize = 32 + 4 + 4;  // bytes: id, plain size, documents
constexpr std::uint8_t kBinarySubtype = 0;
constexpr std::string_view kUserAccount = "user";
constexpr std::string_view kRoleAccount = "role";
constexpr std::string_view kAccountSchema = "schema";

[[noreturn]] void Fail(const std::string& why) {
  throw Error(ErrorCode::kCorrupt, "reading a manifest: " + why);
}

std::int64_t Signed(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

// ---- writing

std::string_view KindName(NamespaceKind kind) {
  switch (kind) {
    case NamespaceKind::kCollection:
      return "collection";
    case NamespaceKind::kView:
      return "view";
    case NamespaceKind::kTimeseries:
      return "timeseries";
  }
  return "";
}

Bytes EncodeLists(const std::vector<ChunkRef>& lists) {
  Bytes packed;
  for (const ChunkRef& list : lists) {
    AppendBytes(packed, list.id);
    AppendLe32(packed, list.plain_size);
    AppendLe32(packed, list.documents);
  }
  return packed;
}

Bytes EncodeRun(const Run& run) {
  bson::Builder builder;
  builder.Append("natural", run.natural_order)
      .Append("documents", Signed(run.documents))
      .Append("bytes", Signed(run.logical_bytes))
      .AppendBinary("firstId", run.first_id)
      .AppendBinary("lastId", run.last_id)
      .AppendBinary("lists", EncodeLists(run.lists))
      .Append("deletes", run.deletes)
      .AppendBinary("keyLists", EncodeLists(run.key_lists));
  return builder.Finish();
}

Bytes EncodeRuns(const std::vector<Run>& runs) {
  bson::ArrayBuilder array;
  for (const Run& run : runs) {
    array.Append(bson::Document(EncodeRun(run)));
  }
  return array.Finish();
}

Bytes EncodeIndexes(const std::vector<Bytes>& indexes) {
  bson::Builder array;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    array.AppendBinary(std::to_string(i), indexes[i]);
  }
  return array.Finish();
}

bson::Builder BuildNamespace(const NamespaceEntry& entry) {
  const Bytes indexes = EncodeIndexes(entry.indexes);
  const Bytes runs = EncodeRuns(entry.runs);
  bson::Builder builder;
  builder.Append("db", std::string_view(entry.database))
      .Append("coll", std::string_view(entry.collection))
      .Append("kind", KindName(entry.kind))
      .AppendBinary("options", entry.options)
      .AppendArray("indexes", bson::Document(indexes))
      .AppendArray("runs", bson::Document(runs))
      .Append("baseRuns", Signed(entry.base_runs))
      .Append("documents", Signed(entry.digest.documents))
      .AppendBinary("digest", entry.digest.sum)
      .Append("bytes", Signed(entry.logical_bytes));
  return builder;
}

Bytes EncodeUnfinished(const UnfinishedNamespace& unfinished) {
  bson::Builder builder = BuildNamespace(unfinished.entry);
  builder.Append("ownRuns", Signed(unfinished.own_runs))
      .AppendBinary("uuid", unfinished.uuid)
      .AppendBinary("readTo", unfinished.read_to);
  return builder.Finish();
}

std::size_t CountAccounts(const Accounts& accounts) {
  return accounts.users.size() + accounts.roles.size() + (accounts.schema.empty() ? 0 : 1);
}

void AppendAccount(std::string_view kind, const Bytes& document, Bytes& plain) {
  AppendBytes(plain,
              bson::Builder().Append("account", kind).AppendBinary("document", document).Finish());
}

void AppendAccounts(const Accounts& accounts, Bytes& plain) {
  for (const Bytes& user : accounts.users) {
    AppendAccount(kUserAccount, user, plain);
  }
  for (const Bytes& role : accounts.roles) {
    AppendAccount(kRoleAccount, role, plain);
  }
  if (!accounts.schema.empty()) {
    AppendAccount(kAccountSchema, accounts.schema, plain);
  }
}

Bytes EncodeTexts(const std::vector<std::string>& texts) {
  bson::ArrayBuilder array;
  for (const std::string& text : texts) {
    array.Append(std::string_view(text));
  }
  return array.Finish();
}

Bytes EncodeSnapshot(const Manifest& manifest) {
  const Bytes empty_databases = EncodeTexts(manifest.empty_databases);
  bson::Builder builder;
  builder.Append("snapshot", std::string_view(manifest.snapshot.ToString()))
      .Append("project", std::string_view(manifest.project.ToString()))
      .Append("cluster", std::string_view(manifest.cluster.ToString()))
      .Append("clusterName", std::string_view(manifest.cluster_name))
      .Append("mongodbVersion", std::string_view(manifest.mongodb_version))
      .Append("createdMicros", ToMicros(manifest.created))
      .Append("consistent", manifest.consistent)
      .Append("inconsistentReason", std::string_view(manifest.inconsistent_reason))
      .Append("positionSeconds", std::int64_t{manifest.position_seconds})
      .Append("positionIncrement", std::int64_t{manifest.position_increment})
      .AppendArray("emptyDatabases", bson::Document(empty_databases))
      .Append("namespaces", Signed(manifest.namespaces.size()));
  if (!manifest.unfinished.empty()) {
    builder.Append("unfinished", Signed(manifest.unfinished.size()));
  }
  const Accounts& accounts = manifest.accounts;
  if (const std::size_t count = CountAccounts(accounts); count > 0) {
    builder.Append("accounts", Signed(count));
  }
  if (!accounts.left_out.empty()) {
    builder.Append("accountsLeftOut", std::string_view(accounts.left_out));
  }
  return builder.Finish();
}

// ---- reading

bson::Element Field(const bson::Document& document, std::string_view name) {
  const std::optional<bson::Element> element = document.Find(name);
  if (!element) {
    Fail("field " + std::string(name) + " is missing");
  }
  return *element;
}

template <class T>
T Typed(const std::optional<T>& value, std::string_view name) {
  if (!value) {
    Fail("field " + std::string(name) + " has the wrong type");
  }
  return *value;
}

std::string TextField(const bson::Document& document, std::string_view name) {
  return std::string(Typed(Field(document, name).AsString(), name));
}

bool BoolField(const bson::Document& document, std::string_view name) {
  return Typed(Field(document, name).AsBool(), name);
}

std::int64_t IntegerField(const bson::Document& document, std::string_view name) {
  return Typed(Field(document, name).AsInteger(), name);
}

std::uint64_t CountField(const bson::Document& document, std::string_view name) {
  const std::int64_t value = IntegerField(document, name);
  if (value < 0) {
    Fail("field " + std::string(name) + " is negative");
  }
  return static_cast<std::uint64_t>(value);
}

std::uint64_t OptionalCount(const bson::Document& document, std::string_view name) {
  return document.Find(name) ? CountField(document, name) : 0;
}

std::uint32_t Count32Field(const bson::Document& document, std::string_view name) {
  const std::uint64_t value = CountField(document, name);
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    Fail("field " + std::string(name) + " is too large");
  }
  return static_cast<std::uint32_t>(value);
}

Bytes Binary(const bson::Element& element, std::string_view name) {
  if (element.type != bson::Type::kBinary) {
    Fail("field " + std::string(name) + " has the wrong type");
  }
  ByteReader reader(element.value, "a manifest");
  const std::uint32_t size = reader.Le32();
  if (reader.Byte() != kBinarySubtype) {
    Fail("field " + std::string(name) + " has the wrong binary subtype");
  }
  const ByteView bytes = reader.Take(size);
  reader.ExpectEnd();
  return {bytes.begin(), bytes.end()};
}

Bytes BinaryField(const bson::Document& document, std::string_view name) {
  return Binary(Field(document, name), name);
}

bson::Document ArrayField(const bson::Document& document, std::string_view name) {
  return Typed(Field(document, name).AsDocument(), name);
}

template <class Id>
Id IdField(const bson::Document& document, std::string_view name) {
  return Typed(Id::Parse(TextField(document, name)), name);
}

NamespaceKind KindField(const bson::Document& document, std::string_view name) {
  const std::string text = TextField(document, name);
  for (const NamespaceKind kind :
       {NamespaceKind::kCollection, NamespaceKind::kView, NamespaceKind::kTimeseries}) {
    if (text == KindName(kind)) {
      return kind;
    }
  }
  Fail("field " + std::string(name) + " names no kind of namespace");
}

std::vector<ChunkRef> DecodeLists(ByteView packed) {
  ByteReader reader(packed, "a manifest");
  std::vector<ChunkRef> lists(packed.size() / kListRecordSize);
  for (ChunkRef& list : lists) {
    std::ranges::copy(reader.Take(list.id.size()), list.id.begin());
    list.plain_size = reader.Le32();
    list.documents = reader.Le32();
  }
  reader.ExpectEnd();
  return lists;
}

Run DecodeRun(const bson::Document& document) {
  Run run;
  run.natural_order = BoolField(document, "natural");
  run.documents = CountField(document, "documents");
  run.logical_bytes = CountField(document, "bytes");
  run.first_id = BinaryField(document, "firstId");
  run.last_id = BinaryField(document, "lastId");
  run.lists = DecodeLists(BinaryField(document, "lists"));
  run.deletes = BoolField(document, "deletes");
  run.key_lists = DecodeLists(BinaryField(document, "keyLists"));
  return run;
}

NamespaceEntry DecodeNamespace(const bson::Document& document) {
  NamespaceEntry entry;
  entry.database = TextField(document, "db");
  entry.collection = TextField(document, "coll");
  entry.kind = KindField(document, "kind");
  entry.options = BinaryField(document, "options");
  for (const bson::Element& index : ArrayField(document, "indexes")) {
    entry.indexes.push_back(Binary(index, "indexes"));
  }
  for (const bson::Element& run : ArrayField(document, "runs")) {
    entry.runs.push_back(DecodeRun(Typed(run.AsDocument(), "runs")));
  }
  entry.base_runs = CountField(document, "baseRuns");
  if (entry.base_runs > entry.runs.size()) {
    Fail("field baseRuns is larger than the number of runs");
  }
  entry.digest.documents = CountField(document, "documents");
  const Bytes sum = BinaryField(document, "digest");
  if (sum.size() != entry.digest.sum.size()) {
    Fail("field digest has the wrong size");
  }
  std::ranges::copy(sum, entry.digest.sum.begin());
  entry.logical_bytes = CountField(document, "bytes");
  return entry;
}

UnfinishedNamespace DecodeUnfinished(const bson::Document& document) {
  UnfinishedNamespace unfinished{.entry = DecodeNamespace(document),
                                 .own_runs = CountField(document, "ownRuns"),
                                 .uuid = BinaryField(document, "uuid"),
                                 .read_to = BinaryField(document, "readTo")};
  const NamespaceEntry& entry = unfinished.entry;
  if (unfinished.own_runs > entry.runs.size() ||
      entry.base_runs > entry.runs.size() - unfinished.own_runs) {
    Fail("field ownRuns is larger than the number of runs");
  }
  if (bson::Document(unfinished.read_to).empty()) {
    Fail("field readTo holds no _id");
  }
  return unfinished;
}

Manifest DecodeSnapshot(const bson::Document& document) {
  Manifest manifest;
  manifest.snapshot = IdField<SnapshotId>(document, "snapshot");
  manifest.project = IdField<ProjectId>(document, "project");
  manifest.cluster = IdField<ClusterId>(document, "cluster");
  manifest.cluster_name = TextField(document, "clusterName");
  manifest.mongodb_version = TextField(document, "mongodbVersion");
  manifest.created = FromMicros(IntegerField(document, "createdMicros"));
  manifest.consistent = BoolField(document, "consistent");
  manifest.inconsistent_reason = TextField(document, "inconsistentReason");
  manifest.position_seconds = Count32Field(document, "positionSeconds");
  manifest.position_increment = Count32Field(document, "positionIncrement");
  for (const bson::Element& name : ArrayField(document, "emptyDatabases")) {
    manifest.empty_databases.emplace_back(Typed(name.AsString(), "emptyDatabases"));
  }
  return manifest;
}

void DecodeAccount(const bson::Document& document, Accounts& accounts) {
  const std::string kind = TextField(document, "account");
  Bytes account = BinaryField(document, "document");
  if (bson::FrontDocumentSize(account) != account.size()) {
    Fail("field document holds more than one");
  }
  if (kind == kUserAccount) {
    accounts.users.push_back(std::move(account));
  } else if (kind == kRoleAccount) {
    accounts.roles.push_back(std::move(account));
  } else if (kind == kAccountSchema && accounts.schema.empty()) {
    accounts.schema = std::move(account);
  } else {
    Fail("field account names no kind of account, or one for the second time");
  }
}

// The document at the front of `rest`, which it is taken from.
bson::Document TakeDocument(ByteView& rest) {
  const std::size_t size = bson::FrontDocumentSize(rest);
  const bson::Document document(rest.first(size));
  rest = rest.subspan(size);
  return document;
}

}  // namespace

Bytes EncodeManifest(const Manifest& manifest) {
  Bytes plain = EncodeSnapshot(manifest);
  for (const NamespaceEntry& entry : manifest.namespaces) {
    AppendBytes(plain, BuildNamespace(entry).Finish());
  }
  for (const UnfinishedNamespace& unfinished : manifest.unfinished) {
    AppendBytes(plain, EncodeUnfinished(unfinished));
  }
  AppendAccounts(manifest.accounts, plain);
  return plain;
}

Manifest DecodeManifest(ByteView plain) {
  const bson::Document snapshot = TakeDocument(plain);
  Manifest manifest = DecodeSnapshot(snapshot);
  const std::uint64_t finished = CountField(snapshot, "namespaces");
  const std::uint64_t unfinished = OptionalCount(snapshot, "unfinished");
  const std::uint64_t accounts = OptionalCount(snapshot, "accounts");
  if (snapshot.Find("accountsLeftOut")) {
    manifest.accounts.left_out = TextField(snapshot, "accountsLeftOut");
  }
  while (!plain.empty()) {
    const bson::Document document = TakeDocument(plain);
    if (manifest.namespaces.size() < finished) {
      manifest.namespaces.push_back(DecodeNamespace(document));
    } else if (manifest.unfinished.size() < unfinished) {
      manifest.unfinished.push_back(DecodeUnfinished(document));
    } else {
      DecodeAccount(document, manifest.accounts);
    }
  }
  if (manifest.namespaces.size() != finished || manifest.unfinished.size() != unfinished) {
    Fail("it holds " + std::to_string(manifest.namespaces.size() + manifest.unfinished.size()) +
         " namespaces, not as many as it says");
  }
  if (CountAccounts(manifest.accounts) != accounts) {
    Fail("it holds " + std::to_string(CountAccounts(manifest.accounts)) +
         " accounts, not as many as it says");
  }
  return manifest;
}

namespace {

Bytes SealAs(const ProjectKeys& keys,
             ObjectKind kind,
             ByteView id,
             const Manifest& manifest,
             RandomSource& random) {
  const Bytes plain = EncodeManifest(manifest);
  if (plain.size() > kMaxManifestPlain) {
    throw Error(ErrorCode::kInvalidArgument,
                "writing manifest " + manifest.snapshot.ToString() + ": " +
                    std::to_string(plain.size()) + " bytes are more than 256 MiB");
  }
  Bytes body;
  AppendLe64(body, plain.size());
  AppendBytes(body, codec::Compress(plain, kManifestLevel));
  Bytes blob;
  AppendHeader(blob, kManifestMagic);
  AppendBytes(blob, keys.Seal(kind, id, body, random));
  return blob;
}

Manifest OpenAs(const ProjectKeys& keys, ObjectKind kind, ByteView id, ByteView blob) {
  const std::string what = DescribeObject(kind, id);
  const ByteView sealed = CheckHeader(blob, kManifestMagic, what);
  const Bytes body = keys.Open(kind, id, sealed);
  ByteReader reader(body, what);
  const std::uint64_t plain_size = reader.Le64();
  if (plain_size > kMaxManifestPlain) {
    reader.Fail("it claims to be larger than 256 MiB");
  }
  try {
    return DecodeManifest(codec::Decompress(reader.rest(), plain_size));
  } catch (const Error& error) {
    throw error.WithContext(what);
  }
}

}  // namespace

Bytes SealManifest(const ProjectKeys& keys, const Manifest& manifest, RandomSource& random) {
  const ByteView id = manifest.snapshot.raw().bytes();
  return SealAs(keys, ObjectKind::kManifest, id, manifest, random);
}

Manifest OpenManifest(const ProjectKeys& keys, const SnapshotId& snapshot, ByteView blob) {
  Manifest manifest = OpenAs(keys, ObjectKind::kManifest, snapshot.raw().bytes(), blob);
  if (!manifest.unfinished.empty()) {
    Fail("a snapshot with a namespace that is not finished");
  }
  return manifest;
}

Bytes SealPartial(const ProjectKeys& keys,
                  const PartialId& id,
                  const Manifest& manifest,
                  RandomSource& random) {
  return SealAs(keys, ObjectKind::kPartial, id.bytes, manifest, random);
}

Manifest OpenPartial(const ProjectKeys& keys, const PartialId& id, ByteView blob) {
  return OpenAs(keys, ObjectKind::kPartial, id.bytes, blob);
}

}  // namespace tidemark::repo
