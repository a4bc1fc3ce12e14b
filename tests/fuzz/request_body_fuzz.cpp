// Any body may come in: either RequestError, or an object of exactly the known members.
#include <array>
#include <cstdint>
#include <string>

#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "base/bytes.h"

using tidemark::api::Field;
using tidemark::api::FieldType;
using tidemark::api::FieldUse;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array kFields{
      Field{"a", FieldType::kObjectId, FieldUse::kOptional},
      Field{"b", FieldType::kDeploymentItemName, FieldUse::kOptional},
      Field{"c", FieldType::kBoolean, FieldUse::kOptional},
      Field{"d", FieldType::kArray, FieldUse::kOptional},
      Field{"e", FieldType::kString, FieldUse::kReadOnly},
  };
  tidemark::http::Request request;
  request.body = tidemark::AsText({data, size});
  try {
    const auto body = tidemark::api::ReadBody(request, kFields);
    TIDEMARK_CHECK(body.size() < kFields.size() && !body.contains("e"));
  } catch (const tidemark::api::RequestError& error) {
    TIDEMARK_CHECK(error.failure().status == 400);
  }
  return 0;
}
