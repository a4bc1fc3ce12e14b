#include <algorithm>

#include <gtest/gtest.h>

#include "repo/internal/byte_reader.h"
#include "repo/internal/chunk_codec.h"
#include "repo/internal/format_blob.h"
#include "repo/internal/index_segment.h"
#include "repo/internal/key_ring.h"
#include "repo/internal/manifest_codec.h"
#include "repo/internal/master_probe.h"
#include "repo/internal/names.h"
#include "repo/internal/pack.h"
#include "tests/support/repository_fixture.h"

// Every encoder against its decoder: round trip, every truncation, every flipped byte.
namespace tidemark::repo {
namespace {

const ProjectId kProject = TestId<ProjectId>(0x11);

ProjectKeys TestKeys() {
  return {kProject, TestMasterKey(9)};
}

// Calls `decode` on every proper prefix of `bytes`: all must throw kCorrupt.
template <class Decode>
void ExpectEveryTruncationFound(const Bytes& bytes, const Decode& decode) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Failure failure = FailureOf([&] { decode(ByteView(bytes).first(size)); });
    ASSERT_EQ(failure.code, ErrorCode::kCorrupt) << "cut to " << size << ": " << failure.message;
  }
}

// A changed version reads as a newer format; everything else as damage.
template <class Decode>
void ExpectEveryFlipFound(Bytes bytes, const Decode& decode) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] ^= 0x10;
    const bool in_version = at >= 8 && at < kHeaderSize;
    const Failure failure = FailureOf([&] { decode(bytes); });
    ASSERT_EQ(failure.code, in_version ? ErrorCode::kUnsupported : ErrorCode::kCorrupt)
        << "byte " << at << ": " << failure.message;
    bytes[at] ^= 0x10;
  }
}

Bytes TestPack(const ProjectKeys& keys, const PackId& id, std::vector<PackEntry>* entries) {
  SeededRandom random(3);
  PackBuilder builder(id);
  for (std::uint64_t i = 0; i < 3; ++i) {
    const Bytes plain = TestChunk(i, 40);
    const ChunkRef ref{keys.NameChunk(ObjectKind::kDataChunk, plain), 40, 1};
    const Bytes sealed = SealChunk(keys, ObjectKind::kDataChunk, ref.id, plain, 1, random);
    entries->push_back(builder.Append(ObjectKind::kDataChunk, ref, sealed));
  }
  return builder.Finish(keys, random);
}

TEST(Pack, DecodesToWhatWasAppended) {
  std::vector<PackEntry> entries;
  const ProjectKeys keys = TestKeys();
  const Bytes blob = TestPack(keys, {}, &entries);
  EXPECT_EQ(DecodePack(keys, {}, blob), entries);
  EXPECT_EQ(entries[0].offset, kHeaderSize);
  EXPECT_EQ(entries[1].offset, kHeaderSize + entries[0].stored_size);
}

TEST(Pack, I5EveryTruncationAndFlipIsFound) {
  std::vector<PackEntry> entries;
  const ProjectKeys keys = TestKeys();
  const Bytes blob = TestPack(keys, {}, &entries);
  // Bytes of chunks are found when the chunk is opened, all others by the pack's own frame.
  const auto decode = [&](ByteView bytes) {
    for (const PackEntry& entry : DecodePack(keys, {}, bytes)) {
      OpenChunk(keys,
                entry.kind,
                {entry.id, entry.plain_size, 1},
                bytes.subspan(entry.offset, entry.stored_size));
    }
  };
  ExpectEveryTruncationFound(blob, decode);
  ExpectEveryFlipFound(blob, decode);
}

TEST(Pack, I6OpensUnderItsOwnNameOnly) {
  std::vector<PackEntry> entries;
  const ProjectKeys keys = TestKeys();
  const Bytes blob = TestPack(keys, {}, &entries);
  PackId other;
  other.bytes[0] = 1;
  EXPECT_EQ(FailureOf([&] { DecodePack(keys, other, blob); }).code, ErrorCode::kCorrupt);
}

TEST(Pack, I4FooterMustTileThePack) {
  PackEntry entry{.offset = kHeaderSize, .stored_size = 10};
  EXPECT_EQ(DecodePackFooter(EncodePackFooter({entry}), kHeaderSize + 10),
            std::vector<PackEntry>{entry});
  const auto decode = [](const PackEntry& wrong, std::size_t end) {
    return FailureOf([&] { DecodePackFooter(EncodePackFooter({wrong}), end); }).message;
  };
  const std::string refusal = "reading a pack footer: its entries do not describe the pack";
  EXPECT_EQ(decode(entry, kHeaderSize + 11), refusal);
  entry.offset = kHeaderSize + 1;
  EXPECT_EQ(decode(entry, kHeaderSize + 11), refusal);
  entry = {.kind = ObjectKind::kManifest, .offset = kHeaderSize, .stored_size = 10};
  EXPECT_EQ(decode(entry, kHeaderSize + 10),
            "reading a pack footer: it names an object that is no chunk");
}

IndexSegment TestSegment() {
  IndexSegment segment;
  segment.packs.resize(2);
  segment.packs[1].bytes[5] = 1;
  segment.entries.push_back({ChunkId{1}, {.pack = 1, .offset = 12, .stored_size = 99}});
  segment.entries.push_back({ChunkId{2}, {.pack = 0, .offset = 13, .plain_size = 7}});
  return segment;
}

TEST(IndexSegment, RoundTripsAndFindsDamage) {
  const ProjectKeys keys = TestKeys();
  SeededRandom random(4);
  const SegmentId id = SegmentId::Generate(random);
  const Bytes blob = SealIndexSegment(keys, id, TestSegment(), random);
  const auto open = [&](ByteView bytes) { return OpenIndexSegment(keys, id, bytes); };
  EXPECT_EQ(open(blob), TestSegment());
  ExpectEveryTruncationFound(blob, open);
  ExpectEveryFlipFound(blob, open);
  EXPECT_EQ(FailureOf([&] { OpenIndexSegment(keys, {}, blob); }).code, ErrorCode::kCorrupt);
}

TEST(IndexSegment, RefusesAPackNumberThatItDoesNotHold) {
  IndexSegment segment = TestSegment();
  segment.entries[0].slot.pack = 2;
  EXPECT_EQ(FailureOf([&] { DecodeIndexSegment(EncodeIndexSegment(segment)); }).message,
            "reading an index segment: it holds an impossible entry");
}

TEST(IndexSegment, DoesNotAllocateForACountThatIsNotThere) {
  const Bytes lie(8, 0xff);
  EXPECT_EQ(FailureOf([&] { DecodeIndexSegment(lie); }).message,
            "reading an index segment: it ends too early");
}

Run TestRun() {
  Run run;
  run.documents = 5;
  run.logical_bytes = 1U << 20;
  run.first_id = TestFirstId(1);
  run.last_id = TestFirstId(9);
  run.lists = {{ChunkId{3}, 100, 5}, {ChunkId{4}, 200, 6}};
  return run;
}

Manifest TestManifest() {
  Manifest manifest;
  manifest.snapshot = TestId<SnapshotId>(0x21);
  manifest.project = kProject;
  manifest.cluster = TestId<ClusterId>(0x31);
  manifest.cluster_name = "Cluster0";
  manifest.mongodb_version = "7.0.14";
  manifest.created = FromMicros(1'700'000'000'123'456);
  manifest.inconsistent_reason = "no oplog";
  manifest.position_seconds = 0xfffffff0;
  manifest.position_increment = 3;
  manifest.empty_databases = {"left", "\xc3\xa9"};
  Run natural;
  natural.natural_order = true;
  Run deletions;
  deletions.deletes = true;
  deletions.key_lists = {{ChunkId{7}, 300, 2}};
  NamespaceEntry entry{.database = "shop",
                       .collection = "orders",
                       .kind = NamespaceKind::kTimeseries,
                       .options = TestFirstId(4),
                       .indexes = {TestFirstId(5), TestFirstId(6)},
                       .runs = {TestRun(), natural, deletions},
                       .base_runs = 2,
                       .logical_bytes = 77};
  entry.digest.Add(AsBytes("a document"));
  manifest.namespaces = {entry,
                         {.database = "shop", .collection = "v", .kind = NamespaceKind::kView}};
  return manifest;
}

TEST(Manifest, KeepsEveryField) {
  const Manifest read = DecodeManifest(EncodeManifest(TestManifest()));
  EXPECT_EQ(read.snapshot, TestManifest().snapshot);
  EXPECT_EQ(read.cluster, TestManifest().cluster);
  EXPECT_EQ(read.cluster_name, "Cluster0");
  EXPECT_EQ(read.mongodb_version, "7.0.14");
  EXPECT_EQ(read.created, TestManifest().created);
  EXPECT_FALSE(read.consistent);
  EXPECT_EQ(read.inconsistent_reason, "no oplog");
  EXPECT_EQ(read.position_seconds, 0xfffffff0);
  EXPECT_EQ(read.position_increment, 3U);
  EXPECT_EQ(read.empty_databases, TestManifest().empty_databases);
  ASSERT_EQ(read.namespaces.size(), 2U);
  EXPECT_EQ(read.namespaces[1].kind, NamespaceKind::kView);
  EXPECT_TRUE(read.namespaces[1].options.empty());
}

TEST(Manifest, KeepsEveryFieldOfANamespace) {
  const NamespaceEntry expected = TestManifest().namespaces[0];
  const NamespaceEntry read = DecodeManifest(EncodeManifest(TestManifest())).namespaces.at(0);
  EXPECT_EQ(read.database, "shop");
  EXPECT_EQ(read.collection, "orders");
  EXPECT_EQ(read.kind, NamespaceKind::kTimeseries);
  EXPECT_EQ(read.options, expected.options);
  EXPECT_EQ(read.indexes, expected.indexes);
  EXPECT_EQ(read.digest, expected.digest);
  EXPECT_EQ(read.logical_bytes, 77U);
  EXPECT_EQ(read.base_runs, 2U);
  ASSERT_EQ(read.runs.size(), 3U);
  EXPECT_EQ(read.runs[0].documents, 5U);
  EXPECT_EQ(read.runs[0].logical_bytes, 1U << 20);
  EXPECT_EQ(read.runs[0].first_id, TestFirstId(1));
  EXPECT_EQ(read.runs[0].last_id, TestFirstId(9));
  ASSERT_EQ(read.runs[0].lists.size(), 2U);
  EXPECT_EQ(read.runs[0].lists[1].id, ChunkId{4});
  EXPECT_EQ(read.runs[0].lists[1].plain_size, 200U);
  EXPECT_EQ(read.runs[0].lists[1].documents, 6U);
  EXPECT_TRUE(read.runs[1].natural_order);
  EXPECT_FALSE(read.runs[1].deletes);
  EXPECT_TRUE(read.runs[2].deletes);
  ASSERT_EQ(read.runs[2].key_lists.size(), 1U);
  EXPECT_EQ(read.runs[2].key_lists[0].id, ChunkId{7});
}

TEST(Manifest, I5EveryTruncationAndFlipIsFound) {
  const ProjectKeys keys = TestKeys();
  SeededRandom random(5);
  const Bytes blob = SealManifest(keys, TestManifest(), random);
  const auto open = [&](ByteView bytes) { OpenManifest(keys, TestManifest().snapshot, bytes); };
  open(blob);
  ExpectEveryTruncationFound(blob, open);
  ExpectEveryFlipFound(blob, open);
}

TEST(Manifest, CountsItsNamespaces) {
  const Bytes whole = EncodeManifest(TestManifest());
  const std::size_t first = bson::FrontDocumentSize(whole);
  EXPECT_EQ(FailureOf([&] { DecodeManifest(ByteView(whole).first(first)); }).message,
            "reading a manifest: it holds 0 namespaces, not as many as it says");
  ExpectEveryTruncationFound(whole, [](ByteView bytes) { DecodeManifest(bytes); });
}

Manifest TestPartial() {
  Manifest partial = TestManifest();
  UnfinishedNamespace unfinished{.entry = partial.namespaces[0],
                                 .own_runs = 1,
                                 .uuid = Bytes(16, 9),
                                 .read_to = TestFirstId(8)};
  unfinished.entry.collection = "big";
  partial.unfinished = {unfinished};
  return partial;
}

TEST(Manifest, I25KeepsWhatIsUnfinishedApart) {
  const Manifest read = DecodeManifest(EncodeManifest(TestPartial()));
  EXPECT_EQ(read.namespaces.size(), 2U);
  ASSERT_EQ(read.unfinished.size(), 1U);
  EXPECT_EQ(read.unfinished[0].entry.collection, "big");
  EXPECT_EQ(read.unfinished[0].entry.runs.size(), 3U);
  EXPECT_EQ(read.unfinished[0].own_runs, 1U);
  EXPECT_EQ(read.unfinished[0].uuid, Bytes(16, 9));
  EXPECT_EQ(read.unfinished[0].read_to, TestFirstId(8));
  ExpectEveryTruncationFound(EncodeManifest(TestPartial()),
                             [](ByteView bytes) { DecodeManifest(bytes); });
}

Manifest TestAccounts() {
  Manifest manifest = TestManifest();
  manifest.accounts.users = {TestFirstId(1), TestFirstId(2)};
  manifest.accounts.roles = {TestFirstId(3)};
  manifest.accounts.schema = TestFirstId(4);
  return manifest;
}

TEST(Manifest, I27KeepsUsersAndRolesApartFromNamespaces) {
  const Manifest read = DecodeManifest(EncodeManifest(TestAccounts()));
  EXPECT_EQ(read.namespaces.size(), 2U);
  EXPECT_EQ(read.accounts.users, (std::vector<Bytes>{TestFirstId(1), TestFirstId(2)}));
  EXPECT_EQ(read.accounts.roles, std::vector<Bytes>{TestFirstId(3)});
  EXPECT_EQ(read.accounts.schema, TestFirstId(4));
  EXPECT_TRUE(read.accounts.left_out.empty());
  ExpectEveryTruncationFound(EncodeManifest(TestAccounts()),
                             [](ByteView bytes) { DecodeManifest(bytes); });
}

TEST(Manifest, I27SaysWhyUsersAndRolesAreMissing) {
  Manifest manifest = TestManifest();
  manifest.accounts.left_out = "not authorized";
  EXPECT_EQ(DecodeManifest(EncodeManifest(manifest)).accounts.left_out, "not authorized");
  EXPECT_TRUE(DecodeManifest(EncodeManifest(TestManifest())).accounts.left_out.empty());
}

TEST(Manifest, I25ASnapshotHasNothingUnfinished) {
  const ProjectKeys keys = TestKeys();
  SeededRandom random(5);
  const Bytes blob = SealManifest(keys, TestPartial(), random);
  EXPECT_EQ(FailureOf([&] { OpenManifest(keys, TestPartial().snapshot, blob); }).message,
            "reading a manifest: a snapshot with a namespace that is not finished");
}

TEST(Manifest, I25UnfinishedNamespacesMustMakeSense) {
  Manifest partial = TestPartial();
  partial.unfinished[0].own_runs = 2;  // one more than is not of the base
  EXPECT_EQ(FailureOf([&] { DecodeManifest(EncodeManifest(partial)); }).message,
            "reading a manifest: field ownRuns is larger than the number of runs");
  partial = TestPartial();
  partial.unfinished[0].own_runs = 4;
  EXPECT_EQ(FailureOf([&] { DecodeManifest(EncodeManifest(partial)); }).message,
            "reading a manifest: field ownRuns is larger than the number of runs");
  partial = TestPartial();
  partial.unfinished[0].read_to = bson::Builder().Finish();
  EXPECT_EQ(FailureOf([&] { DecodeManifest(EncodeManifest(partial)); }).message,
            "reading a manifest: field readTo holds no _id");
}

TEST(ListChunk, RoundTripsAndFindsTruncation) {
  const ListedChunks chunks{{{ChunkId{1}, 10, 2}, TestFirstId(1)}, {{ChunkId{2}, 20, 4}, {}}};
  const Bytes plain = EncodeList(chunks);
  const ListedChunks read = DecodeList(plain);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].ref.id, ChunkId{1});
  EXPECT_EQ(read[0].first_id, TestFirstId(1));
  EXPECT_EQ(read[1].ref.documents, 4U);
  EXPECT_TRUE(read[1].first_id.empty());
  EXPECT_EQ(CountDocuments(read), 6U);
  ExpectEveryTruncationFound(plain, [](ByteView bytes) { DecodeList(bytes); });
}

TEST(ListChunk, BoundsItsLengthAndItsCount) {
  EXPECT_EQ(FailureOf([] { EncodeList(ListedChunks(kMaxRefsPerList + 1)); }).message,
            "storing a list chunk: 4097 chunks are more than 4096");
  const ListedChunks many(2, {{ChunkId{}, 1, 0x80000000}, {}});
  EXPECT_EQ(FailureOf([&] { CountDocuments(many); }).message,
            "storing a list chunk: 4294967296 documents are more than one list chunk counts");
}

TEST(KeyChunk, RoundTripsAndFindsDamage) {
  KeyBlock block{.fingerprints = {7, 0xffffffffffffffff}, .keys = TestFirstId(1)};
  const Bytes nameless = bson::Builder().Finish();
  block.keys.insert(block.keys.end(), nameless.begin(), nameless.end());
  Bytes plain = EncodeKeys(block);
  const KeyBlock read = DecodeKeys(plain);
  EXPECT_EQ(read.fingerprints, block.fingerprints);
  EXPECT_EQ(read.keys, block.keys);
  ExpectEveryTruncationFound(plain, [](ByteView bytes) { DecodeKeys(bytes); });
  plain.push_back(0);
  EXPECT_EQ(FailureOf([&] { DecodeKeys(plain); }).message,
            "reading a key chunk: it holds more keys than fingerprints");
}

TEST(Chunk, I7IsNamedAgainWhenRead) {
  const ProjectKeys keys = TestKeys();
  SeededRandom random(6);
  const Bytes plain = TestChunk(1, 50);
  const ChunkRef wrong{keys.NameChunk(ObjectKind::kDataChunk, TestChunk(2, 50)), 50, 1};
  const Bytes sealed = SealChunk(keys, ObjectKind::kDataChunk, wrong.id, plain, 1, random);
  const Failure failure =
      FailureOf([&] { OpenChunk(keys, ObjectKind::kDataChunk, wrong, sealed); });
  EXPECT_EQ(failure.code, ErrorCode::kCorrupt);
  EXPECT_EQ(failure.message,
            "reading data chunk " + HexEncode(wrong.id) + ": its bytes do not give its name");
}

TEST(Chunk, I7IsNamedAgainWhenItsHashesAreAskedForToo) {
  const ProjectKeys keys = TestKeys();
  SeededRandom random(6);
  const Bytes plain = TestChunk(1, 50);
  const ChunkId name = keys.NameChunk(ObjectKind::kDataChunk, plain);
  const ChunkRef right{name, 50, 1};
  const Bytes sealed = SealChunk(keys, ObjectKind::kDataChunk, name, plain, 1, random);
  const HashedChunk opened = OpenDocuments(keys, right, sealed);
  EXPECT_EQ(opened.plain, plain);
  EXPECT_EQ(opened.hashes, HashDocuments(plain));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Bytes bad = sealed;
    bad[at] ^= 1;
    EXPECT_EQ(FailureOf([&] { OpenDocuments(keys, right, bad); }).code, ErrorCode::kCorrupt) << at;
  }
  const ChunkRef wrong{keys.NameChunk(ObjectKind::kDataChunk, TestChunk(2, 50)), 50, 1};
  const Bytes renamed = SealChunk(keys, ObjectKind::kDataChunk, wrong.id, plain, 1, random);
  const Failure failure = FailureOf([&] { OpenDocuments(keys, wrong, renamed); });
  EXPECT_EQ(failure.code, ErrorCode::kCorrupt);
  EXPECT_EQ(failure.message,
            "reading data chunk " + HexEncode(wrong.id) + ": its bytes do not give its name");
}

TEST(Chunk, I6DataAndListChunksAreNeverTakenForEachOther) {
  const ProjectKeys keys = TestKeys();
  SeededRandom random(6);
  const Bytes plain = TestChunk(1, 50);
  const ChunkRef ref{keys.NameChunk(ObjectKind::kDataChunk, plain), 50, 1};
  EXPECT_NE(ref.id, keys.NameChunk(ObjectKind::kListChunk, plain));
  EXPECT_NE(ref.id, keys.NameChunk(ObjectKind::kKeyChunk, plain));
  const Bytes sealed = SealChunk(keys, ObjectKind::kDataChunk, ref.id, plain, 1, random);
  EXPECT_EQ(OpenChunk(keys, ObjectKind::kDataChunk, ref, sealed), plain);
  EXPECT_EQ(FailureOf([&] { OpenChunk(keys, ObjectKind::kListChunk, ref, sealed); }).code,
            ErrorCode::kCorrupt);
}

TEST(ProjectKey, RoundTripsAndFindsDamage) {
  SeededRandom random(7);
  const Bytes blob = EncodeProjectKey(TestMasterKey(), kProject, TestMasterKey(9), random);
  EXPECT_EQ(blob.size(), 72U);
  const auto decode = [](ByteView bytes) {
    return DecodeProjectKey(TestMasterKey(), kProject, bytes);
  };
  EXPECT_EQ(decode(blob), TestMasterKey(9));
  ExpectEveryTruncationFound(blob, decode);
  ExpectEveryFlipFound(blob, decode);
  EXPECT_EQ(
      FailureOf([&] { DecodeProjectKey(TestMasterKey(), TestId<ProjectId>(0x12), blob); }).code,
      ErrorCode::kCorrupt);
}

TEST(FormatBlob, TellsDamageFromANewerVersion) {
  const std::string id(32, 'a');
  EXPECT_EQ(ReadFormatBlob(MakeFormatBlob(id)), id);
  const Failure newer = FailureOf([&] { ReadFormatBlob(R"({"version":2})"); });
  EXPECT_EQ(newer.code, ErrorCode::kUnsupported);
  EXPECT_EQ(newer.message,
            "opening the repository: its format version is 2, this program reads version 1");
  EXPECT_EQ(FailureOf([&] { ReadFormatBlob(MakeFormatBlob("../x")); }).code, ErrorCode::kCorrupt);
}

TEST(FormatBlob, I5EveryFlipIsFound) {
  std::string text = MakeFormatBlob(std::string(32, 'a'));
  for (char& c : text) {
    for (const int bit : {0, 3, 6}) {
      c = static_cast<char>(c ^ (1 << bit));
      const Failure failure = FailureOf([&] { ReadFormatBlob(text); });
      EXPECT_TRUE(failure.code == ErrorCode::kCorrupt || failure.code == ErrorCode::kUnsupported)
          << text << ErrorCodeName(failure.code) << failure.message;
      c = static_cast<char>(c ^ (1 << bit));
    }
  }
}

TEST(MasterProbe, TellsDamageFromAnotherKey) {
  SeededRandom random(8);
  const std::string id(32, 'a');
  Bytes blob = EncodeProbe({TestMasterKey(), 1}, id, random);
  EXPECT_EQ(blob.size(), 80U);
  EXPECT_EQ(TryProbe({TestMasterKey(), 1}, id, blob), ProbeAnswer::kOpens);
  EXPECT_EQ(TryProbe({TestMasterKey(8), 1}, id, blob), ProbeAnswer::kOtherKey);
  // I6: under another generation or in another repository it is another object.
  EXPECT_EQ(TryProbe({TestMasterKey(), 2}, id, blob), ProbeAnswer::kOtherKey);
  EXPECT_EQ(TryProbe({TestMasterKey(), 1}, std::string(32, 'b'), blob), ProbeAnswer::kOtherKey);
  for (std::uint8_t& byte : blob) {  // I5
    byte ^= 0x10;
    EXPECT_EQ(TryProbe({TestMasterKey(), 1}, id, blob), ProbeAnswer::kDamaged);
    byte ^= 0x10;
  }
  for (std::size_t size = 0; size < blob.size(); ++size) {
    EXPECT_EQ(TryProbe({TestMasterKey(), 1}, id, ByteView(blob).first(size)),
              ProbeAnswer::kDamaged);
  }
}

TEST(BlobNames, TakeNothingButWhatTheyMake) {
  EXPECT_EQ(MasterName(0x1f), "master/0000001f");
  EXPECT_EQ(ParseMasterName("master/0000001f"), 0x1fU);
  for (const std::string name : {"master/0",
                                 "master/0000001F",
                                 "master/00000000",
                                 "mast/00000001",
                                 "master/000000010",
                                 "master/+0000001"}) {
    EXPECT_FALSE(ParseMasterName(name).has_value()) << name;
  }
  const std::optional<KeyBlobName> key = ParseKeyName(KeyName(kProject, 2));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->project, kProject);
  EXPECT_EQ(key->generation, 2U);
  const std::string project = kProject.ToString();
  const std::vector<std::string> foreign{"keys/" + project,
                                         "keys/" + project + "/1",
                                         "keys/x/00000001",
                                         project + "/00000001",
                                         "keys/" + project + "/00000001/x"};
  for (const std::string& name : foreign) {
    EXPECT_FALSE(ParseKeyName(name).has_value()) << name;
  }
}

// The worked example of docs/format.md: whoever changes these bytes has made a new format version.
TEST(Format, StillReadsThePackOfItsDocument) {
  const Bytes blob = HexDecode(
      "544d524b5041434b01000000c15c0289ec2d0a9167ec8e658dcffce44b301715268b3fabd4be62a4b9f48ced76"
      "6444a86399be837616f4b0a09f7ac16e8cb85e5532fbeea293f80bc942ee207c470d9439dab8668f2daf0f89e5"
      "ebb62736c419d6be6241ee245b1d86fa560d0a97f81f21faf3625d152f17709970eaa81d7289b5fed1f564e569"
      "df224dff564d000000544d524b50454e44");
  PackId id;
  std::ranges::copy(HexDecode("5e5532fbeea293f80bc942ee9086c171"), id.bytes.begin());
  const std::vector<PackEntry> entries = DecodePack(TestKeys(), id, blob);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(HexEncode(entries[0].id),
            "97ef39b05f7da3f8f041d40b1b2beb144b3e3c93aea6f49eb391b7d2c2cd91d6");
  const ByteView sealed = ByteView(blob).subspan(entries[0].offset, entries[0].stored_size);
  EXPECT_EQ(HexEncode(OpenChunk(TestKeys(), entries[0].kind, {entries[0].id, 14, 1}, sealed)),
            "0e000000105f6964000100000000");
}

TEST(Format, StillMakesTheKeyChunkOfItsDocument) {
  const ProjectKeys keys = TestKeys();
  const Bytes document = HexDecode("0e000000105f6964000100000000");
  const std::uint64_t fingerprint = keys.Fingerprint(codec::Sha256(document));
  EXPECT_EQ(fingerprint, 0x691dc873c6168231);
  const Bytes plain = EncodeKeys({.fingerprints = {fingerprint}, .keys = TestFirstId(1)});
  EXPECT_EQ(HexEncode(plain), "01000000318216c673c81d690b00000010000100000000");
  EXPECT_EQ(HexEncode(keys.NameChunk(ObjectKind::kKeyChunk, plain)),
            "bab4b9498ae8e1a0c86be021ad1034a3828bc4babc39dc4c571cc6d6ef889685");
}

TEST(Format, StillReadsTheFormatBlobOfItsDocument) {
  EXPECT_EQ(ReadFormatBlob(
                R"({"version":1,"repository":"a53c36d76cec99e0758527120fbbe785",)"
                R"("sha256":"41e91ca62ce0e730f04909ba07038d1c544ab51c0079f5e1422426300bf0add7"})"
                "\n"),
            "a53c36d76cec99e0758527120fbbe785");
}

TEST(Format, StillOpensTheProbeOfItsDocument) {
  EXPECT_EQ(
      TryProbe(
          {TestMasterKey(), 1},
          "a53c36d76cec99e0758527120fbbe785",
          HexDecode(
              "544d524b4d4b455901000000a83d7e35de1817499667617fade4dd7568ca70c62bc22a15e40cde83"
              "50b178a652b029922ae83e352d96a660e498c474c2cdeac06ffec54052a30219b8d7c06b921ebbda")),
      ProbeAnswer::kOpens);
}

}  // namespace
}  // namespace tidemark::repo
