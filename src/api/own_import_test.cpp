#include <fstream>

#include <boost/json/serialize.hpp>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::HasSubstr;

class OwnImportTest : public ApiFixture {
 protected:
  OwnImportTest() {
    clusters_->Register(first_.project.id,
                        {.name = "c0", .connection_string = Secret("mongodb://127.0.0.1:1")});
    std::filesystem::create_directories(Folder());
    std::ofstream(Folder() / "dump.archive") << "to be read later";
  }

  std::filesystem::path Folder() const {
    return directory_ / "imports" / first_.project.id.ToString();
  }

  http::Response Import(const std::string& body) {
    http::Request request =
        MakeOwnerRequest(http::Method::kPost,
                         "/api/tidemark/v1/projects/" + first_.project.id.ToString() +
                             "/clusters/c0/snapshots/import",
                         body);
    return api_->Handle(request);
  }
};

TEST_F(OwnImportTest, AnswersWithTheQueuedSnapshot) {
  const http::Response response = Import(R"({"path": "dump.archive", "description": "old"})");
  ASSERT_EQ(response.status, 201) << response.body;
  const boost::json::value snapshot = boost::json::parse(response.body);
  EXPECT_EQ(snapshot.at("state"), "PENDING");
  EXPECT_EQ(snapshot.at("description"), "old");
  EXPECT_EQ(boost::json::serialize(snapshot.at("imported")), R"({"path":"dump.archive"})");
}

TEST_F(OwnImportTest, RefusalsNameTheMember) {
  for (const char* body :
       {R"({"path": "../x"})", R"({"path": "/etc/passwd"})", R"({"path": ""})"}) {
    const http::Response response = Import(body);
    EXPECT_EQ(response.status, 400) << response.body;
    EXPECT_THAT(response.body, HasSubstr(R"("field":"path")"));
  }
  EXPECT_EQ(Import("{}").status, 400);
  EXPECT_EQ(Import(R"({"path": 1})").status, 400);
}

}  // namespace
}  // namespace tidemark::api
