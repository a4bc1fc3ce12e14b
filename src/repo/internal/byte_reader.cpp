#include "repo/internal/byte_reader.h"

#include "base/error.h"
#include "repo/internal/object_kind.h"

namespace tidemark::repo {

void ByteReader::Fail(std::string_view why) const {
  throw Error(ErrorCode::kCorrupt, "reading " + what_ + ": " + std::string(why));
}

ByteView ByteReader::Take(std::size_t size) {
  if (size > rest_.size()) {
    Fail("it ends too early");
  }
  const ByteView taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

std::uint8_t ByteReader::Byte() {
  return Take(1)[0];
}

std::uint32_t ByteReader::Le32() {
  return LoadLe32(Take(4).data());
}

std::uint64_t ByteReader::Le64() {
  return LoadLe64(Take(8).data());
}

std::uint32_t ByteReader::Count(std::size_t record_size) {
  const std::uint32_t count = Le32();
  if (count > rest_.size() / record_size) {
    Fail("it ends too early");
  }
  return count;
}

void ByteReader::ExpectEnd() const {
  if (!rest_.empty()) {
    Fail(std::to_string(rest_.size()) + " bytes too many");
  }
}

void AppendBytes(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void AppendLe32(Bytes& out, std::uint32_t value) {
  out.resize(out.size() + 4);
  StoreLe32(out.data() + out.size() - 4, value);
}

void AppendLe64(Bytes& out, std::uint64_t value) {
  out.resize(out.size() + 8);
  StoreLe64(out.data() + out.size() - 8, value);
}

void AppendHeader(Bytes& out, std::string_view magic) {
  AppendBytes(out, AsBytes(magic));
  AppendLe32(out, kFormatVersion);
}

ByteView CheckHeader(ByteView blob, std::string_view magic, std::string_view what) {
  ByteReader reader(blob, what);
  if (AsText(reader.Take(magic.size())) != magic) {
    reader.Fail("it does not begin with " + std::string(magic));
  }
  const std::uint32_t version = reader.Le32();
  if (version != kFormatVersion) {
    throw Error(ErrorCode::kUnsupported,
                "reading " + std::string(what) + ": its format version is " +
                    std::to_string(version) + ", this program reads version 1",
                "use the newer release that wrote it");
  }
  return reader.rest();
}

}  // namespace tidemark::repo
