#include "repo/internal/key_export_codec.h"

#include <algorithm>

#include "base/error.h"
#include "repo/internal/byte_reader.h"
#include "repo/internal/format_blob.h"
#include "repo/internal/names.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kWhat = "key export";
constexpr std::size_t kMaxBlobSize = 4096;   // bytes; probes have 80, project keys 72
constexpr std::size_t kLeastBlobRecord = 8;  // bytes; the two sizes

bool IsKeyBlobName(const std::string& name) {
  return ParseMasterName(name).has_value() || ParseKeyName(name).has_value();
}

void AppendSized(Bytes& out, ByteView bytes) {
  AppendLe32(out, static_cast<std::uint32_t>(bytes.size()));
  AppendBytes(out, bytes);
}

KeyExport::Blob ReadBlob(ByteReader& reader) {
  KeyExport::Blob blob;
  blob.name = AsText(reader.Take(reader.Le32()));
  if (!IsKeyBlobName(blob.name)) {
    reader.Fail("it holds a blob that is no key");
  }
  const std::uint32_t size = reader.Le32();
  if (size > kMaxBlobSize) {
    reader.Fail("it holds a key that is too long");
  }
  const ByteView bytes = reader.Take(size);
  blob.bytes.assign(bytes.begin(), bytes.end());
  return blob;
}

void CheckRepositoryId(const ByteReader& reader, std::string_view id) {
  if (!IsRepositoryId(id)) {
    reader.Fail("it names no repository");
  }
}

}  // namespace

Bytes EncodeKeyExport(const KeyExport& keys) {
  Bytes plain;
  AppendBytes(plain, keys.master_key);
  AppendBytes(plain, AsBytes(keys.repository));
  AppendLe32(plain, static_cast<std::uint32_t>(keys.blobs.size()));
  for (const KeyExport::Blob& blob : keys.blobs) {
    AppendSized(plain, AsBytes(blob.name));
    AppendSized(plain, blob.bytes);
  }
  return plain;
}

KeyExport DecodeKeyExport(ByteView plain) {
  ByteReader reader(plain, kWhat);
  KeyExport keys;
  std::ranges::copy(reader.Take(keys.master_key.size()), keys.master_key.begin());
  keys.repository = AsText(reader.Take(2 * kRepositoryIdSize));
  CheckRepositoryId(reader, keys.repository);
  for (std::uint32_t left = reader.Count(kLeastBlobRecord); left > 0; --left) {
    keys.blobs.push_back(ReadBlob(reader));
  }
  reader.ExpectEnd();
  return keys;
}

ExportFile ParseExportFile(ByteView file) {
  if (!AsText(file).starts_with(kExportMagic)) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading the key export: the file is none",
                "give the file that tidemark master-key export has written");
  }
  if (file.size() <= kHeaderSize + codec::kDigestSize) {
    throw Error(ErrorCode::kCorrupt, "reading the key export: it ends too early");
  }
  const ByteView summed = file.first(file.size() - codec::kDigestSize);
  if (!std::ranges::equal(codec::Sha256(summed), file.last(codec::kDigestSize))) {
    throw Error(ErrorCode::kCorrupt,
                "reading the key export: it is damaged, its checksum does not match",
                "use another copy of the file");
  }
  ByteReader reader(CheckHeader(summed, kExportMagic, kWhat), kWhat);
  ExportFile parts;
  parts.log_cost = reader.Byte();
  if (parts.log_cost < 1 || parts.log_cost > kMaxExportLogCost) {
    reader.Fail("the cost of its passphrase is out of range");
  }
  parts.salt = reader.Take(kExportSaltSize);
  parts.sealed = reader.rest();
  parts.associated = summed.first(summed.size() - parts.sealed.size());
  return parts;
}

}  // namespace tidemark::repo
