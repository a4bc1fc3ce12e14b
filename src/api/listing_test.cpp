#include "api/internal/listing.h"

#include <gtest/gtest.h>

#include "api/internal/failure.h"

namespace tidemark::api {
namespace {

std::string RefusedName(std::string_view query) {
  try {
    ParseListQuery(query);
  } catch (const RequestError& error) {
    EXPECT_EQ(error.failure().code, "INVALID_QUERY_PARAMETER");
    return error.failure().parameters.at(0);
  }
  return "";
}

std::string Links(std::string_view query, std::int64_t total) {
  http::Request request;
  request.scheme = "https";
  request.headers = {{"host", "h"}};
  request.path = "/p";
  const Reply reply = ListReply(request, ParseListQuery(query), {}, total);
  return RenderJson(reply.body.at("links"), Layout::kCompact);
}

}  // namespace

TEST(ParseListQuery, HasAtlasDefaults) {
  const ListQuery query = ParseListQuery("");
  EXPECT_EQ(query.page.number, 1);
  EXPECT_EQ(query.page.size, 100);
  EXPECT_EQ(query.count, Count::kInclude);
  EXPECT_EQ(query.style.layout, Layout::kCompact);
  EXPECT_EQ(query.style.envelope, Envelope::kNone);
}

TEST(ParseListQuery, BoundsAreInclusive) {
  EXPECT_EQ(ParseListQuery("itemsPerPage=500&pageNum=2147483647").page.size, 500);
  EXPECT_EQ(ParseListQuery("itemsPerPage=1&unknown=x").page.size, 1);
}

TEST(ParseListQuery, RefusesWhatIsOutOfRangeOrMalformed) {
  for (const char* query : {"pageNum=0",
                            "pageNum=-1",
                            "pageNum=",
                            "pageNum=1x",
                            "pageNum=2147483648",
                            "pageNum=99999999999999999999"}) {
    EXPECT_EQ(RefusedName(query), "pageNum") << query;
  }
  EXPECT_EQ(RefusedName("itemsPerPage=501"), "itemsPerPage");
  EXPECT_EQ(RefusedName("includeCount=1"), "includeCount");
  EXPECT_EQ(RefusedName("pretty="), "pretty");
  EXPECT_EQ(RefusedName("envelope=TRUE"), "envelope");
}

TEST(ListReply, OnlyPageHasSelf) {
  EXPECT_EQ(
      Links("", 100),
      R"([{"href":"https://h/p?includeCount=true&pageNum=1&itemsPerPage=100","rel":"self"}])");
}

TEST(ListReply, MiddlePageHasPreviousAndNext) {
  EXPECT_EQ(
      Links("itemsPerPage=2&pageNum=2&includeCount=false", 5),
      R"([{"href":"https://h/p?includeCount=false&pageNum=2&itemsPerPage=2","rel":"self"},)"
      R"({"href":"https://h/p?includeCount=false&itemsPerPage=2&pageNum=1","rel":"previous"},)"
      R"({"href":"https://h/p?includeCount=false&itemsPerPage=2&pageNum=3","rel":"next"}])");
}

TEST(ListReply, CountIsLeftOutWhenNotWanted) {
  const http::Request request;
  EXPECT_FALSE(
      ListReply(request, ParseListQuery("includeCount=false"), {}, 5).body.contains("totalCount"));
  EXPECT_TRUE(ListReply(request, ParseListQuery(""), {}, 5).body.contains("results"));
}

}  // namespace tidemark::api
