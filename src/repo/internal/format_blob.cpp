#include "repo/internal/format_blob.h"

#include <optional>

#include <fmt/core.h>

#include "base/error.h"
#include "bson/builder.h"
#include "repo/internal/object_kind.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kProbeText = "tidemark";
constexpr std::size_t kRepositoryIdSize = 16;  // bytes
constexpr std::size_t kMaxFormatSize = 4096;   // bytes; version 1 needs 228

[[noreturn]] void FailDamaged(std::string_view why) {
  throw Error(ErrorCode::kCorrupt,
              "reading the format blob: " + std::string(why),
              "put the blob `format` back from a copy of the repository");
}

// The one text that a format blob with these fields has; the checksum tells damage from a wrong
// key.
std::string Render(std::string_view repository, std::string_view probe) {
  const codec::Digest sum =
      codec::Sha256(AsBytes(fmt::format("{} {} {}", kFormatVersion, repository, probe)));
  return fmt::format(R"({{"version":{},"repository":"{}","probe":"{}","sha256":"{}"}})"
                     "\n",
                     kFormatVersion,
                     repository,
                     probe,
                     HexEncode(sum));
}

Bytes ParseJson(std::string_view text) {
  if (text.empty() || text.size() > kMaxFormatSize) {
    FailDamaged("it is empty or too long");
  }
  try {
    return bson::FromJson(text);
  } catch (const Error& error) {
    FailDamaged(error.message());
  }
}

std::string_view TextField(const bson::Document& document, std::string_view name) {
  const std::optional<bson::Element> element = document.Find(name);
  const std::optional<std::string_view> text = element ? element->AsString() : std::nullopt;
  if (!text) {
    FailDamaged("it has no text " + std::string(name));
  }
  return *text;
}

void CheckVersion(const bson::Document& document) {
  const std::optional<bson::Element> element = document.Find("version");
  const std::optional<std::int64_t> version = element ? element->AsInteger() : std::nullopt;
  if (!version) {
    FailDamaged("it has no version");
  }
  if (*version != kFormatVersion) {
    throw Error(ErrorCode::kUnsupported,
                "opening the repository: its format version is " + std::to_string(*version) +
                    ", this program reads version 1",
                "use the newer release that wrote it");
  }
}

void CheckProbe(const MasterKey& master, std::string_view repository, std::string_view probe) {
  const Bytes associated = AssociatedData(ObjectKind::kProbe, ProjectId{}, AsBytes(repository));
  try {
    codec::Open(master, associated, Base64Decode(probe));
  } catch (const Error&) {
    throw Error(ErrorCode::kUnauthenticated,
                "opening the repository: the master key is not the one it was created with",
                "give the master key file that was made together with this repository");
  }
}

}  // namespace

std::string MakeFormatBlob(const MasterKey& master, RandomSource& random) {
  const std::string repository = RandomHex(random, kRepositoryIdSize);
  const Bytes probe =
      codec::Seal(master,
                  AssociatedData(ObjectKind::kProbe, ProjectId{}, AsBytes(repository)),
                  AsBytes(kProbeText),
                  random);
  return Render(repository, Base64Encode(probe));
}

void CheckFormatBlob(const MasterKey& master, std::string_view text) {
  const Bytes parsed = ParseJson(text);
  const bson::Document document(parsed);
  CheckVersion(document);
  const std::string_view repository = TextField(document, "repository");
  const std::string_view probe = TextField(document, "probe");
  if (text != Render(repository, probe)) {
    FailDamaged("its checksum does not match");
  }
  CheckProbe(master, repository, probe);
}

}  // namespace tidemark::repo
