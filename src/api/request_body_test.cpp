#include "api/internal/request_body.h"

#include <array>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "api/internal/failure.h"

namespace tidemark::api {
namespace {

constexpr std::array kFields{
    Field{"id", FieldType::kObjectId, FieldUse::kRequired},
    Field{"name", FieldType::kDeploymentItemName, FieldUse::kOptional},
    Field{"on", FieldType::kBoolean, FieldUse::kOptional},
    Field{"list", FieldType::kArray, FieldUse::kOptional},
    Field{"status", FieldType::kString, FieldUse::kReadOnly},
};

constexpr std::string_view kId = "\"id\":\"0123456789abcdef01234567\"";

http::Request RequestWith(std::string body, std::string type = "application/json") {
  http::Request request;
  request.body = std::move(body);
  request.headers = {{"content-type", std::move(type)}};
  return request;
}

std::string Read(const std::string& body) {
  return boost::json::serialize(ReadBody(RequestWith(body), kFields));
}

Failure FailureFor(const http::Request& request) {
  try {
    ReadBody(request, kFields);
  } catch (const RequestError& error) {
    return error.failure();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

std::string CodeFor(const std::string& body) {
  return FailureFor(RequestWith(body)).code;
}

std::string With(std::string_view more) {
  return "{" + std::string(kId) + "," + std::string(more) + "}";
}

}  // namespace

TEST(ReadBody, KeepsWritableMembersThatHaveAValue) {
  EXPECT_EQ(Read(With("\"on\":true,\"name\":null,\"status\":7") + "\n"),
            "{\"id\":\"0123456789abcdef01234567\",\"on\":true}");
}

TEST(ReadBody, MalformedTextIsMalformedJson) {
  for (const std::string& body : {std::string("{"),
                                  std::string("{} {}"),
                                  std::string("{}x"),
                                  std::string("nonsense"),
                                  std::string("{\"id\":\"\xFF\"}"),
                                  std::string("{\"id\":\"\xC0\x80\"}"),
                                  std::string("{\"on\":true,\"on\":true}"),
                                  std::string("{\"on\":1,\"\\u006fn\":2}"),
                                  std::string("{\"list\":[{\"a\":1,\"a\":1}]}"),
                                  "{\"list\":" + std::string(10000, '[')}) {
    EXPECT_EQ(CodeFor(body), "MALFORMED_JSON") << body.substr(0, 40);
  }
}

TEST(ReadBody, DepthIsBoundedAtSixtyFour) {
  const auto nested = [](std::size_t depth) {
    return With("\"list\":" + std::string(depth, '[') + std::string(depth, ']'));
  };
  EXPECT_NO_THROW(Read(nested(63)));
  EXPECT_EQ(CodeFor(nested(64)), "MALFORMED_JSON");
}

TEST(ReadBody, SameNameInDifferentObjectsIsNoDuplicate) {
  EXPECT_NO_THROW(Read(With("\"list\":[{\"a\":1},{\"a\":{\"a\":1}}]")));
}

TEST(ReadBody, AnythingButAnObjectIsInvalidJson) {
  for (const char* body : {"[]", "null", "1", "\"x\""}) {
    EXPECT_EQ(CodeFor(body), "INVALID_JSON") << body;
  }
}

TEST(ReadBody, UnknownMemberComesBeforeMissingOne) {
  const Failure failure = FailureFor(RequestWith("{\"nonsense\":1}"));
  EXPECT_EQ(failure.code, "INVALID_ATTRIBUTE");
  EXPECT_EQ(failure.detail, "Invalid attribute nonsense specified.");
  EXPECT_EQ(failure.parameters, std::vector<std::string>{"nonsense"});
}

TEST(ReadBody, RequiredMemberMayNotBeMissingOrNull) {
  for (const char* body : {"", " \n", "{}", "{\"id\":null}", "{\"status\":\"x\"}"}) {
    const Failure failure = FailureFor(RequestWith(body));
    EXPECT_EQ(failure.code, "MISSING_ATTRIBUTE") << body;
    EXPECT_EQ(failure.detail, "The required attribute id was not specified.");
  }
}

TEST(ReadBody, NullDoesNotLeaveOutWhatMustNotBeNull) {
  constexpr std::array kScope{Field{"only", FieldType::kArray, FieldUse::kNotNull}};
  const auto code = [&](const std::string& body) -> std::string {
    try {
      ReadBody(RequestWith(body), kScope);
      return "";
    } catch (const RequestError& error) {
      return error.failure().code;
    }
  };
  EXPECT_EQ(code("{}"), "");
  EXPECT_EQ(code(R"({"only":[]})"), "");
  EXPECT_EQ(code(R"({"only":null})"), "INVALID_JSON_ATTRIBUTE");
}

TEST(ReadBody, WrongTypeIsAnInvalidJsonAttribute) {
  EXPECT_EQ(CodeFor("{\"id\":1}"), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(CodeFor(With("\"on\":\"true\"")), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(CodeFor(With("\"list\":{}")), "INVALID_JSON_ATTRIBUTE");
}

TEST(ReadBody, PatternsAreAValidationErrorWithTheField) {
  const Failure failure = FailureFor(RequestWith("{\"id\":\"0123456789ABCDEF01234567\"}"));
  EXPECT_EQ(failure.status, 400);
  EXPECT_EQ(failure.code, "VALIDATION_ERROR");
  ASSERT_EQ(failure.fields.size(), 1U);
  EXPECT_EQ(failure.fields[0].field, "id");
  EXPECT_EQ(failure.fields[0].description, "must be 24 lower-case hexadecimal digits");
  EXPECT_EQ(CodeFor(With("\"name\":\"a b\"")), "VALIDATION_ERROR");
  EXPECT_EQ(CodeFor(With("\"name\":\"\"")), "VALIDATION_ERROR");
}

TEST(ReadBody, OtherMediaTypesAreUnsupported) {
  const Failure failure = FailureFor(RequestWith("{}", "text/plain"));
  EXPECT_EQ(failure.status, 415);
  EXPECT_EQ(failure.code, "UNSUPPORTED_MEDIA_TYPE");
}

TEST(ReadBody, PackedBodiesAreUnsupported) {
  http::Request request = RequestWith(With("\"on\":true"));
  request.headers.emplace_back("content-encoding", "Identity");
  EXPECT_NO_THROW(ReadBody(request, kFields));
  request.headers.back().second = "gzip";
  const Failure failure = FailureFor(request);
  EXPECT_EQ(failure.status, 415);
  EXPECT_EQ(failure.code, "UNSUPPORTED_MEDIA_TYPE");
  EXPECT_EQ(failure.parameters, std::vector<std::string>{"gzip"});
}

TEST(ReadBody, TextsAreBoundedWhereverTheyStand) {
  constexpr std::array kText{Field{"text", FieldType::kString, FieldUse::kOptional}};
  const auto object = [](std::size_t size) {
    return boost::json::object{{"text", std::string(size, 'x')}};
  };
  EXPECT_EQ(StringOf(CheckFields(object(8192), kText), "text").size(), 8192U);
  try {
    CheckFields(object(8193), kText);
    ADD_FAILURE() << "it was taken";
  } catch (const RequestError& error) {
    EXPECT_EQ(error.failure().code, "VALIDATION_ERROR");
    ASSERT_EQ(error.failure().fields.size(), 1U);
    EXPECT_EQ(error.failure().fields[0].description, "must have at most 8192 bytes");
  }
}

}  // namespace tidemark::api
