#include "bson/builder.h"

#include <algorithm>
#include <bit>
#include <string>

#include "base/error.h"

namespace tidemark::bson {
namespace {

constexpr std::uint8_t kGenericSubtype = 0;

void PutBytes(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void Put32(Bytes& out, std::uint32_t value) {
  std::uint8_t encoded[4];
  StoreLe32(encoded, value);
  PutBytes(out, encoded);
}

void Put64(Bytes& out, std::uint64_t value) {
  std::uint8_t encoded[8];
  StoreLe64(encoded, value);
  PutBytes(out, encoded);
}

void RequireFits(std::size_t size) {
  if (size > kMaxDocumentSize) {
    throw Error(ErrorCode::kInvalidArgument,
                "building BSON: " + std::to_string(size) + " bytes are more than a document holds");
  }
}

void PutLength(Bytes& out, std::size_t length) {
  RequireFits(length);
  Put32(out, static_cast<std::uint32_t>(length));
}

}  // namespace

Builder::Builder() : bytes_(4) {}

void Builder::Start(Type type, std::string_view name) {
  if (name.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::kInvalidArgument, "building BSON: field name holds NUL");
  }
  bytes_.push_back(static_cast<std::uint8_t>(type));
  PutBytes(bytes_, AsBytes(name));
  bytes_.push_back(0);
}

Builder& Builder::Append(std::string_view name, std::string_view text) {
  Start(Type::kString, name);
  PutLength(bytes_, text.size() + 1);
  PutBytes(bytes_, AsBytes(text));
  bytes_.push_back(0);
  return *this;
}

Builder& Builder::Append(std::string_view name, bool value) {
  Start(Type::kBoolean, name);
  bytes_.push_back(value ? 1 : 0);
  return *this;
}

Builder& Builder::Append(std::string_view name, std::int32_t value) {
  Start(Type::kInt32, name);
  Put32(bytes_, static_cast<std::uint32_t>(value));
  return *this;
}

Builder& Builder::Append(std::string_view name, std::int64_t value) {
  Start(Type::kInt64, name);
  Put64(bytes_, static_cast<std::uint64_t>(value));
  return *this;
}

Builder& Builder::Append(std::string_view name, double value) {
  Start(Type::kDouble, name);
  Put64(bytes_, std::bit_cast<std::uint64_t>(value));
  return *this;
}

Builder& Builder::Append(std::string_view name, const Document& value) {
  Start(Type::kDocument, name);
  PutBytes(bytes_, value.bytes());
  return *this;
}

Builder& Builder::AppendArray(std::string_view name, const Document& array) {
  Start(Type::kArray, name);
  PutBytes(bytes_, array.bytes());
  return *this;
}

Builder& Builder::AppendBinary(std::string_view name, ByteView bytes) {
  Start(Type::kBinary, name);
  PutLength(bytes_, bytes.size());
  bytes_.push_back(kGenericSubtype);
  PutBytes(bytes_, bytes);
  return *this;
}

Builder& Builder::AppendTimestamp(std::string_view name,
                                  std::uint32_t seconds,
                                  std::uint32_t increment) {
  Start(Type::kTimestamp, name);
  Put32(bytes_, increment);
  Put32(bytes_, seconds);
  return *this;
}

Builder& Builder::AppendDateTime(std::string_view name, std::int64_t milliseconds) {
  Start(Type::kDateTime, name);
  Put64(bytes_, static_cast<std::uint64_t>(milliseconds));
  return *this;
}

Builder& Builder::AppendElement(std::string_view name, const Element& element) {
  Start(element.type, name);
  PutBytes(bytes_, element.value);
  return *this;
}

Bytes Builder::Finish() {
  bytes_.push_back(0);
  RequireFits(bytes_.size());
  StoreLe32(bytes_.data(), static_cast<std::uint32_t>(bytes_.size()));
  return std::move(bytes_);
}

ArrayBuilder& ArrayBuilder::Append(const Document& value) {
  builder_.Append(std::to_string(next_++), value);
  return *this;
}

ArrayBuilder& ArrayBuilder::Append(std::string_view text) {
  builder_.Append(std::to_string(next_++), text);
  return *this;
}

Bytes ArrayBuilder::Finish() {
  return builder_.Finish();
}

}  // namespace tidemark::bson
