#include "mongo/public_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::mongo {
namespace {

TEST(PublicAddress, KeepsHostsAndHowToReachThem) {
  const PublicAddress address =
      PublicAddressOf(Secret("mongodb://a.example:27017,b.example:27018/?replicaSet=rs0&tls=true"));
  EXPECT_EQ(address.hosts, "mongodb://a.example:27017,b.example:27018");
  EXPECT_EQ(address.standard, "mongodb://a.example:27017,b.example:27018/?tls=true&replicaSet=rs0");
  EXPECT_EQ(address.standard_srv, "");
}

TEST(PublicAddress, NamesAServerWithoutAPortByTheDefaultOne) {
  EXPECT_EQ(PublicAddressOf(Secret("mongodb://db.example")).standard,
            "mongodb://db.example:27017/");
  EXPECT_EQ(PublicAddressOf(Secret("mongodb://[::1]:27018/?directConnection=true")).standard,
            "mongodb://[::1]:27018/?directConnection=true");
}

TEST(PublicAddress, LeavesServiceNamesUnresolved) {
  const PublicAddress address =
      PublicAddressOf(Secret("mongodb+srv://user:hunter2@cluster.example.net/?tls=true"));
  EXPECT_EQ(address.standard_srv, "mongodb+srv://cluster.example.net/?tls=true&authSource=admin");
  EXPECT_EQ(address.standard, "");
}

TEST(PublicAddress, NeverHoldsWhatLetsPeopleIn) {
  for (const char* text :
       {"mongodb://alice:hunter2@db.example/",
        "mongodb://alice:hunter2@db.example/admin?authMechanism=SCRAM-SHA-256",
        "mongodb://alice:hunt%40er2@db.example/reports?appName=hunter2",
        "mongodb://db.example/?tlsCertificateKeyFile=%2Fetc%2Fhunter2.pem&"
        "tlsCertificateKeyFilePassword=hunter2",
        "mongodb://alice:hunter2@db.example/?authMechanism=PLAIN&authSource=$external",
        "mongodb://AKIA:hunter2@db.example/?authMechanism=MONGODB-AWS&"
        "authMechanismProperties=AWS_SESSION_TOKEN:hunter2&authSource=$external"}) {
    const PublicAddress address = PublicAddressOf(Secret(text));
    for (const std::string& shown : {address.hosts, address.standard, address.standard_srv}) {
      EXPECT_THAT(shown, testing::Not(testing::HasSubstr("alice"))) << text;
      EXPECT_THAT(shown, testing::Not(testing::HasSubstr("AKIA"))) << text;
      EXPECT_THAT(shown, testing::Not(testing::HasSubstr("hunt"))) << text;
    }
    EXPECT_THAT(address.standard, testing::StartsWith("mongodb://db.example:27017/")) << text;
  }
}

TEST(CheckConnectionString, RefusesAPasswordThatIsTakenForAHost) {
  for (const char* text : {"mongodb://alice:hunter@2@db.example/",
                           "mongodb://alice:27017/hunter2@db.example",
                           "mongodb://alice:pass@hunter2@db.example:27017/",
                           "mongodb+srv://alice:pass@hunter2@cluster.example.net/",
                           "nonsense"}) {
    EXPECT_THROW(CheckConnectionString(Secret(text)), Error) << text;
  }
  for (const char* text : {"mongodb://alice:hunter%402@db.example/",
                           "mongodb://db.example/?appName=me@home",
                           "mongodb+srv://alice:pass@cluster.example.net/reports",
                           "mongodb://%2Ftmp%2Fmongodb-27017.sock/"}) {
    EXPECT_NO_THROW(CheckConnectionString(Secret(text))) << text;
  }
}

TEST(PublicAddress, SaysNothingWhenAPasswordMayHaveBeenTakenForAHost) {
  for (const char* text : {"mongodb://alice:hunter@2@db.example/",
                           "mongodb://alice:27017/hunter2@db.example",
                           "mongodb://alice:27017/hunter2@db.example/reports",
                           "mongodb://alice:pass@hunter/2@db.example",
                           "mongodb://alice:pass@hunter2@db.example:27017/"}) {
    try {
      const PublicAddress address = PublicAddressOf(Secret(text));
      EXPECT_EQ(address.hosts + address.standard + address.standard_srv, "") << text;
    } catch (const Error& error) {  // the driver refuses some of them by itself
      EXPECT_THAT(std::string(error.message()), testing::Not(testing::HasSubstr("hunter")));
    }
  }
}

TEST(PublicAddress, EscapesValues) {
  EXPECT_EQ(PublicAddressOf(Secret("mongodb://db.example/?replicaSet=a%26b%3Dc")).standard,
            "mongodb://db.example:27017/?replicaSet=a%26b%3Dc");
}

TEST(PublicAddress, SaysNothingOfALocalSocket) {
  const PublicAddress address =
      PublicAddressOf(Secret("mongodb://%2Fvar%2Frun%2Fmongodb-27017.sock/?replicaSet=rs0"));
  EXPECT_EQ(address.hosts + address.standard + address.standard_srv, "");
}

TEST(PublicAddress, RefusesWhatIsNoConnectionString) {
  EXPECT_THROW(PublicAddressOf(Secret("http://user:hunter2@host")), Error);
}

}  // namespace
}  // namespace tidemark::mongo
