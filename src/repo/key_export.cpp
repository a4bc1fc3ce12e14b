#include "repo/key_export.h"

#include <algorithm>

#include "base/error.h"
#include "repo/internal/byte_reader.h"
#include "repo/internal/format_blob.h"
#include "repo/internal/key_export_codec.h"
#include "repo/internal/key_ring.h"
#include "repo/internal/master_probe.h"
#include "repo/internal/names.h"

namespace tidemark::repo {
namespace {

void RefuseOtherRepository(blob::BlobStore& store, const KeyExport& keys) {
  if (!HasAnyBlob(store, "")) {
    throw Error(ErrorCode::kNotFound,
                "importing keys: there is no repository here that they could open",
                "put a copy of the repository in place first");
  }
  if (!store.Size(kFormatName)) {
    return;
  }
  const std::string repository = ReadRepositoryId(store);
  if (repository != keys.repository) {
    throw Error(ErrorCode::kConflict,
                "importing keys: they are of repository " + keys.repository + ", this one is " +
                    repository);
  }
}

void RefuseOtherMaster(blob::BlobStore& store, const KeyExport& keys) {
  if (!ListGenerations(store).empty() && !FindMaster(store, keys.master_key, keys.repository)) {
    throw Error(ErrorCode::kConflict,
                "importing keys: the repository's master key was changed after the export",
                "give an export that was made after the last rotation");
  }
}

void PutMissing(blob::BlobStore& store, std::string_view name, ByteView bytes, KeyImport& done) {
  if (store.Size(name)) {
    ++done.present;
    return;
  }
  store.Put(name, bytes);
  ++done.written;
}

}  // namespace

KeyExport CollectKeys(blob::BlobStore& store, const MasterKey& master_key) {
  KeyExport keys;
  keys.master_key = master_key;
  keys.repository = ReadRepositoryId(store);
  const HeldMaster master = RequireMaster(store, master_key, keys.repository);
  keys.blobs.push_back({MasterName(master.generation), store.Get(MasterName(master.generation))});
  for (const ProjectId& project : ListProjectKeys(store, master.generation)) {
    const std::string name = KeyName(project, master.generation);
    keys.blobs.push_back({name, store.Get(name)});
    DecodeProjectKey(master_key, project, keys.blobs.back().bytes);  // a damaged one saves nobody
  }
  std::ranges::sort(keys.blobs, {}, &KeyExport::Blob::name);
  return keys;
}

Bytes SealKeyExport(const KeyExport& keys,
                    const Secret& passphrase,
                    RandomSource& random,
                    int log_cost) {
  std::array<std::uint8_t, kExportSaltSize> salt{};
  random.Fill(salt);
  Bytes file;
  AppendHeader(file, kExportMagic);
  file.push_back(static_cast<std::uint8_t>(log_cost));
  AppendBytes(file, salt);
  const codec::AeadKey key = codec::DeriveFromPassphrase(passphrase.Reveal(), salt, log_cost);
  const Bytes associated = AssociatedData(ObjectKind::kKeyExport, ProjectId{}, file);
  AppendBytes(file, codec::Seal(key, associated, EncodeKeyExport(keys), random));
  AppendBytes(file, codec::Sha256(file));
  if (file.size() > kMaxExportSize) {
    throw Error(ErrorCode::kResourceExhausted, "exporting the keys: there are too many projects");
  }
  return file;
}

KeyExport OpenKeyExport(ByteView file, const Secret& passphrase) {
  const ExportFile parts = ParseExportFile(file);
  const codec::AeadKey key =
      codec::DeriveFromPassphrase(passphrase.Reveal(), parts.salt, parts.log_cost);
  const Bytes associated = AssociatedData(ObjectKind::kKeyExport, ProjectId{}, parts.associated);
  Bytes plain;
  try {
    plain = codec::Open(key, associated, parts.sealed);
  } catch (const Error&) {  // whole, by its checksum: then it is the passphrase that is another
    throw Error(ErrorCode::kUnauthenticated,
                "reading the key export: the passphrase is not the one it was made with");
  }
  return DecodeKeyExport(plain);
}

KeyImport ImportKeys(blob::BlobStore& store, const KeyExport& keys) {
  RefuseOtherRepository(store, keys);
  RefuseOtherMaster(store, keys);
  KeyImport done;
  PutMissing(store, kFormatName, AsBytes(MakeFormatBlob(keys.repository)), done);
  const bool has_probe = !ListGenerations(store).empty();
  for (const KeyExport::Blob& blob : keys.blobs) {
    const std::optional<KeyBlobName> key = ParseKeyName(blob.name);
    if (key && !HasProjectData(store, key->project)) {
      ++done.skipped;
    } else if (key || !has_probe) {
      PutMissing(store, blob.name, blob.bytes, done);
    }
  }
  return done;
}

}  // namespace tidemark::repo
