#include "repo/internal/format_blob.h"

#include <optional>

#include <fmt/core.h>

#include "base/error.h"
#include "bson/builder.h"
#include "codec/codec.h"
#include "repo/internal/object_kind.h"

namespace tidemark::repo {
namespace {

constexpr std::size_t kMaxFormatSize = 4096;  // bytes; version 1 needs 134

[[noreturn]] void FailDamaged(std::string_view why) {
  throw Error(ErrorCode::kCorrupt,
              "reading the format blob: " + std::string(why),
              "put the blob `format` back from a copy of the repository");
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

}  // namespace

bool IsRepositoryId(std::string_view text) {
  return text.size() == 2 * kRepositoryIdSize &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string NewRepositoryId(RandomSource& random) {
  return RandomHex(random, kRepositoryIdSize);
}

std::string MakeFormatBlob(std::string_view repository) {
  const codec::Digest sum =
      codec::Sha256(AsBytes(fmt::format("{} {}", kFormatVersion, repository)));
  return fmt::format(R"({{"version":{},"repository":"{}","sha256":"{}"}})"
                     "\n",
                     kFormatVersion,
                     repository,
                     HexEncode(sum));
}

std::string ReadFormatBlob(std::string_view text) {
  const Bytes parsed = ParseJson(text);
  const bson::Document document(parsed);
  CheckVersion(document);
  const std::string_view repository = TextField(document, "repository");
  if (!IsRepositoryId(repository) || text != MakeFormatBlob(repository)) {
    FailDamaged("its checksum does not match");
  }
  return std::string(repository);
}

}  // namespace tidemark::repo
