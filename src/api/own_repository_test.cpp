#include "tests/support/api_fixture.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::api {
namespace {

using testing::HasSubstr;

class OwnRepositoryTest : public ApiFixture {
 protected:
  std::string Path(const std::string& rest) {
    return "/api/tidemark/v1/projects/" + first_.project.id.ToString() + "/repository/" + rest;
  }

  static boost::json::object ObjectOf(const http::Response& response) {
    return boost::json::parse(response.body).as_object();
  }

  static std::string TextOf(const boost::json::value& object, std::string_view member) {
    return std::string(object.at(member).as_string());
  }

  // Starts a task, runs it, and returns what GET then says.
  boost::json::object RunTask(const std::string& what, const std::string& body) {
    const http::Response started = Post(Path(what), body);
    EXPECT_EQ(started.status, 201) << started.body;
    EXPECT_TRUE(maintenance_->RunNext({}));
    const std::string id(ObjectOf(started).at("id").as_string());
    return ObjectOf(Get(Path("tasks/" + id)));
  }

  SnapshotId Commit(std::uint8_t fill) {
    const SnapshotId id = SnapshotId::Generate(clock_.Now(), system_random_);
    const auto writer = repository_->NewSnapshot(first_.project.id, {});
    const Bytes plain = repo::TestFirstId(fill);  // any document
    repo::Run run{.natural_order = true, .documents = 1};
    run.lists.push_back(writer->StoreList({{writer->Store(plain), {}}}));
    repo::Manifest manifest;
    manifest.snapshot = id;
    manifest.project = first_.project.id;
    manifest.created = clock_.Now();
    manifest.cluster_name = "c0";
    manifest.namespaces.push_back(
        {.database = "db", .collection = "c", .runs = {run}, .logical_bytes = 1000});
    writer->Commit(manifest);
    return id;
  }
};

TEST_F(OwnRepositoryTest, ChecksTheStructure) {
  Commit(1);
  const http::Response started = Post(Path("check"), "{}");
  EXPECT_EQ(started.status, 201);
  EXPECT_EQ(ObjectOf(started).at("state"), "PENDING");
  EXPECT_EQ(ObjectOf(started).at("kind"), "check");
  maintenance_->RunNext({});
  const auto task = ObjectOf(Get(Path("tasks/" + TextOf(ObjectOf(started), "id"))));
  EXPECT_EQ(task.at("state"), "COMPLETED");
  EXPECT_EQ(task.at("check").at("damaged").as_int64(), 0);
  EXPECT_EQ(task.at("check").at("snapshots").as_int64(), 1);
  EXPECT_EQ(task.at("check").at("chunksRead").as_int64(), 0);
}

TEST_F(OwnRepositoryTest, PlansAndRepairs) {
  const SnapshotId snapshot = Commit(1);
  EXPECT_EQ(RunTask("repair", "{}").at("repair").at("allWhole").as_bool(), true);
  std::string pack;
  blobs_->List("packs/", [&](const std::string& name, ByteCount) { pack = name; });
  blobs_->Delete(pack);
  const auto plan = RunTask("repair", R"({"dryRun": true, "fromCluster": "none"})");
  EXPECT_EQ(plan.at("kind"), "repair");
  EXPECT_EQ(plan.at("dryRun").as_bool(), true);
  EXPECT_THAT(TextOf(plan.at("repair"), "text"),
              HasSubstr("damaged chunks that cannot be healed: 1\n"));
  const auto task = RunTask("repair", R"({"fromCluster": "none"})");
  EXPECT_EQ(task.at("state"), "COMPLETED");
  const auto& repair = task.at("repair");
  EXPECT_EQ(repair.at("allWhole").as_bool(), false);
  EXPECT_EQ(repair.at("lost").as_int64(), 1);
  EXPECT_EQ(repair.at("healed").as_int64(), 0);
  const auto& chunk = repair.at("chunks").as_array().at(0);
  EXPECT_EQ(chunk.at("kind"), "list chunk");
  EXPECT_EQ(chunk.at("namespace"), "db.c");
  EXPECT_EQ(chunk.at("snapshotIds").as_array().at(0), snapshot.ToString().c_str());
  EXPECT_THAT(TextOf(chunk, "message"), HasSubstr("no order of _id"));
}

TEST_F(OwnRepositoryTest, RefusesToRepairFromAnUnknownCluster) {
  EXPECT_EQ(Post(Path("repair"), R"({"fromCluster": "Gone"})").status, 404);
  EXPECT_EQ(Post(Path("repair"), R"({"fromCluster": 7})").status, 400);
  EXPECT_EQ(Post(Path("repair"), R"({"plan": true})").status, 400);
}

TEST_F(OwnRepositoryTest, SaysWhatIsDamaged) {
  const SnapshotId snapshot = Commit(1);
  std::string pack;
  blobs_->List("packs/", [&](const std::string& name, ByteCount) { pack = name; });
  blobs_->Delete(pack);
  const auto task = RunTask("check", R"({"readData": true})");
  EXPECT_EQ(task.at("readPercent").to_number<double>(), 100);
  EXPECT_EQ(task.at("state"), "COMPLETED");
  EXPECT_GT(task.at("check").at("damaged").as_int64(), 0);
  const auto& finding = task.at("check").at("findings").as_array().at(0);
  EXPECT_EQ(TextOf(finding, "snapshotId"), snapshot.ToString());
  EXPECT_EQ(finding.at("namespace"), "db.c");
  EXPECT_EQ(finding.at("run").as_int64(), 1);
  EXPECT_THAT(TextOf(finding, "message"), HasSubstr("it is in no pack"));
  EXPECT_THAT(TextOf(finding, "text"), HasSubstr(" db.c run 1: "));
}

TEST_F(OwnRepositoryTest, RefusesAShareThatIsNoPercentage) {
  for (const std::string body :
       {R"({"samplePercent": 0})", R"({"samplePercent": 101})", R"({"samplePercent": "5"})"}) {
    EXPECT_EQ(Post(Path("check"), body).status, 400) << body;
  }
  EXPECT_EQ(Post(Path("check"), R"({"samplePercent": 2.5})").status, 201);
}

TEST_F(OwnRepositoryTest, PlansAndCollects) {
  repository_->DeleteManifest(first_.project.id, Commit(1));
  Commit(2);
  const auto plan = RunTask("gc", R"({"dryRun": true})");
  EXPECT_EQ(plan.at("dryRun").as_bool(), true);
  EXPECT_EQ(plan.at("gc").at("outcome"), "planned");
  EXPECT_EQ(plan.at("gc").at("plan").at("packsToDelete").as_int64(), 1);
  EXPECT_EQ(plan.at("gc").at("plan").at("packsToKeep").as_int64(), 1);
  EXPECT_THAT(TextOf(plan.at("gc"), "text"), HasSubstr("packs: delete 1, rewrite 0, keep 1\n"));
  const auto done = RunTask("gc", "{}");
  EXPECT_EQ(done.at("gc").at("outcome"), "done");
  EXPECT_EQ(done.at("gc").at("deletedPacks").as_int64(), 1);
  EXPECT_EQ(done.at("gc").at("deletedBytes").as_int64(),
            plan.at("gc").at("plan").at("bytesToFree").as_int64());
  EXPECT_EQ(RunTask("gc", "{}").at("gc").at("outcome"), "nothingToDo");
}

TEST_F(OwnRepositoryTest, TellsWhatIsStored) {
  EXPECT_FALSE(ObjectOf(Get(Path("stats"))).contains("ratio"));
  const SnapshotId snapshot = Commit(1);
  const auto stats = ObjectOf(Get(Path("stats")));
  EXPECT_EQ(stats.at("logicalBytes").as_int64(), 1000);
  EXPECT_GT(stats.at("storedBytes").as_int64(), 0);
  EXPECT_GT(stats.at("ratio").as_double(), 0);
  EXPECT_EQ(stats.at("unreferencedBytes").as_int64(), 0);
  const auto& one = stats.at("snapshots").as_array().at(0);
  EXPECT_EQ(TextOf(one, "id"), snapshot.ToString());
  EXPECT_EQ(one.at("clusterName"), "c0");
  EXPECT_EQ(one.at("addedBytes"), one.at("exclusiveBytes"));
}

TEST_F(OwnRepositoryTest, KnowsNoTaskOfThatName) {
  EXPECT_EQ(Get(Path("tasks/x")).status, 404);
  EXPECT_EQ(Get(Path("tasks/" + std::string(24, 'a'))).status, 404);
}

TEST_F(OwnRepositoryTest, ReadersMayLookButNotTouch) {
  const std::string token = TokenWith(domain::Role::kGroupReadOnly);
  EXPECT_EQ(GetAs(token, Path("stats")).status, 200);
  for (const std::string what : {"check", "gc"}) {
    http::Request request = MakeRequest(http::Method::kPost, Path(what));
    request.headers.emplace_back("authorization", "Bearer " + token);
    EXPECT_EQ(api_->Handle(request).status, 401) << what;  // USER_UNAUTHORIZED
  }
}

}  // namespace
}  // namespace tidemark::api
