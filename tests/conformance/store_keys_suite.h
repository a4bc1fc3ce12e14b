#pragma once

#include "tests/conformance/store_fixture.h"

// What every implementation of catalog::KeyBook promises.
namespace tidemark::catalog {

class KeySuite : public StoreSuite {
 protected:
  domain::Key NewOwner(const std::string& public_name, domain::KeyKind kind) {
    domain::Key key = NewKey(public_name);
    key.kind = kind;
    key.grants = {{.role = domain::Role::kOrgOwner, .organization = organization_.id}};
    return key;
  }

  domain::ClientSecret NewSecret(const domain::Key& account,
                                 std::optional<Instant> expires = std::nullopt) {
    return {.id = NewId<ClientSecretId>(),
            .account = account.id,
            .ending = "wxyz",
            .created = kNow,
            .expires = expires};
  }

  // Its secret has the hash "hash".
  domain::ClientSecret AddAccount(const domain::Key& account) {
    const domain::ClientSecret secret = NewSecret(account);
    store_->AddServiceAccount(account, secret, "hash");
    return secret;
  }
};

inline std::vector<std::string> Blocks(const domain::Key& key) {
  std::vector<std::string> blocks;
  for (const domain::Network& network : key.access_list) {
    blocks.push_back(network.ToString());
  }
  return blocks;
}

TEST_P(KeySuite, OrganizationNamesAreUnique) {
  EXPECT_EQ(store_->CountOrganizations(), 1);
  const domain::Organization other{.id = NewId<OrganizationId>(), .name = "other"};
  domain::Key owner = NewKey("abcdefgh");
  owner.organization = other.id;
  store_->AddOrganization(other, owner, "sealed");
  EXPECT_EQ(store_->CountOrganizations(), 2);
  EXPECT_EQ(store_->FindOrganization(other.id).value().name, "other");
  EXPECT_EQ(store_->FindKeyByPublicName("abcdefgh").value().sealed_secret, "sealed");
  EXPECT_EQ(Refusal([&] {
              store_->AddOrganization(
                  {.id = NewId<OrganizationId>(), .name = "other"}, NewKey("ijklmnop"), "sealed");
            }),
            "Conflict: cannot add organization 'other': there is one of that name");
  EXPECT_FALSE(store_->FindKeyByPublicName("ijklmnop"));
}

TEST_P(KeySuite, KeyChangesInWhatIsGiven) {
  const domain::Key key = NewKey("abcdefgh");
  store_->AddKey(key, "sealed");
  KeyChanges changes{
      .description = "changed",
      .grants = {{{.role = domain::Role::kGroupBackupExportOperator, .project = project_.id}}},
      .access_list = {{domain::Network::Parse("192.0.2.0/24").value(),
                       domain::Network::Parse("2001:db8::1").value()}}};
  EXPECT_EQ(store_->UpdateKey(key.id, changes), KeyChange::kDone);
  EXPECT_EQ(store_->UpdateKey(key.id, {}), KeyChange::kDone);
  domain::Key found = store_->FindKey(key.id).value().key;
  EXPECT_EQ(found.description, "changed");
  ASSERT_EQ(found.grants.size(), 1U);
  EXPECT_EQ(found.grants[0].role, domain::Role::kGroupBackupExportOperator);
  EXPECT_THAT(Blocks(found), testing::ElementsAre("192.0.2.0/24", "2001:db8::1/128"));
  EXPECT_THAT(Blocks(store_->ListKeys(organization_.id, {}).rows.at(0)), testing::SizeIs(2));
  EXPECT_EQ(store_->UpdateKey(key.id, {.access_list = std::vector<domain::Network>()}),
            KeyChange::kDone);
  found = store_->FindKeyByPublicName("abcdefgh").value().key;
  EXPECT_THAT(Blocks(found), testing::IsEmpty());
  EXPECT_EQ(found.grants.size(), 1U);
  EXPECT_EQ(store_->FindKey(key.id).value().sealed_secret, "sealed");
  store_->RevokeKey(key.id, kNow);
  EXPECT_EQ(store_->UpdateKey(key.id, changes), KeyChange::kAbsent);
}

TEST_P(KeySuite, LastOwnerIsNeitherRevokedNorDemoted) {
  const domain::Key owner = NewOwner("abcdefgh", domain::KeyKind::kApiKey);
  const domain::Key account = NewOwner("mdb_sa_id_1", domain::KeyKind::kServiceAccount);
  store_->AddKey(owner, "sealed");
  // An account whose secret will end does not count as an owner.
  store_->AddServiceAccount(account, NewSecret(account, kNow + std::chrono::hours{1}), "one");
  EXPECT_EQ(store_->RevokeKey(owner.id, kNow), KeyChange::kLastOwner);
  const KeyChanges demotion{.grants = std::vector<domain::Grant>()};
  EXPECT_EQ(store_->UpdateKey(owner.id, demotion), KeyChange::kLastOwner);
  EXPECT_EQ(store_->FindKey(owner.id).value().key.grants.size(), 1U);

  const domain::ClientSecret lasting = NewSecret(account);
  EXPECT_TRUE(store_->AddClientSecret(lasting, "two", kNow));
  EXPECT_EQ(store_->UpdateKey(owner.id, demotion), KeyChange::kDone);
  EXPECT_EQ(store_->RevokeKey(owner.id, kNow), KeyChange::kDone);
  EXPECT_EQ(store_->DeleteClientSecret(account.id, lasting.id), KeyChange::kLastOwner);
  EXPECT_EQ(store_->RevokeKey(account.id, kNow), KeyChange::kLastOwner);
  EXPECT_TRUE(store_->FindClientSecret(account.id, "two", kNow));
}

TEST_P(KeySuite, OwnersOfOtherOrganizationsDoNotCount) {
  const domain::Organization other{.id = NewId<OrganizationId>(), .name = "other"};
  domain::Key foreign = NewOwner("ijklmnop", domain::KeyKind::kApiKey);
  foreign.organization = other.id;
  foreign.grants[0].organization = other.id;
  store_->AddOrganization(other, foreign, "sealed");
  const domain::Key owner = NewOwner("abcdefgh", domain::KeyKind::kApiKey);
  store_->AddKey(owner, "sealed");
  EXPECT_EQ(store_->RevokeKey(owner.id, kNow), KeyChange::kLastOwner);
}

TEST_P(KeySuite, SecretsAreFoundUntilTheyExpire) {
  const domain::Key account = NewKey("mdb_sa_id_1");
  const domain::ClientSecret first = AddAccount(account);
  const domain::ClientSecret second = NewSecret(account, kNow + std::chrono::hours{8});
  EXPECT_TRUE(store_->AddClientSecret(second, "hash2", kNow));
  EXPECT_FALSE(store_->AddClientSecret(NewSecret(account), "hash3", kNow));
  EXPECT_EQ(store_->FindClientSecret(account.id, "hash", kNow).value().id, first.id);
  EXPECT_EQ(store_->FindClientSecret(account.id, "hash2", kNow).value().ending, "wxyz");
  EXPECT_FALSE(store_->FindClientSecret(account.id, "hash3", kNow));
  EXPECT_FALSE(store_->FindClientSecret(NewId<KeyId>(), "hash", kNow));
  const Instant later = kNow + std::chrono::hours{8};
  EXPECT_FALSE(store_->FindClientSecret(account.id, "hash2", later));
  EXPECT_EQ(store_->ListClientSecrets(account.id).size(), 2U);
  EXPECT_TRUE(store_->AddClientSecret(NewSecret(account), "hash3", later));
  EXPECT_EQ(store_->ListClientSecrets(account.id).size(), 2U);
}

TEST_P(KeySuite, TokensDieWithTheirSecret) {
  const domain::Key account = NewKey("mdb_sa_id_1");
  const domain::ClientSecret first = AddAccount(account);
  const domain::ClientSecret second = NewSecret(account);
  ASSERT_TRUE(store_->AddClientSecret(second, "hash2", kNow));
  store_->AddToken("token1", first, kNow + std::chrono::hours{1});
  store_->AddToken("token2", second, kNow + std::chrono::hours{1});
  EXPECT_EQ(store_->DeleteClientSecret(account.id, first.id), KeyChange::kDone);
  EXPECT_EQ(store_->DeleteClientSecret(account.id, first.id), KeyChange::kAbsent);
  EXPECT_FALSE(store_->FindKeyByToken("token1", kNow));
  EXPECT_TRUE(store_->FindKeyByToken("token2", kNow));
  // A secret of another account is left alone.
  const domain::Key other = NewKey("mdb_sa_id_2");
  store_->AddServiceAccount(other, NewSecret(other), "hash4");
  EXPECT_EQ(store_->DeleteClientSecret(other.id, second.id), KeyChange::kAbsent);
  EXPECT_TRUE(store_->FindKeyByToken("token2", kNow));
}

TEST_P(KeySuite, TokenCountsUntilItExpiresOrIsRevoked) {
  const domain::Key account = NewKey("mdb_sa_id_1");
  const domain::ClientSecret secret = AddAccount(account);
  store_->AddToken("hash1", secret, kNow + std::chrono::hours{1});
  store_->AddToken("hash2", secret, kNow + std::chrono::hours{1});
  const domain::Key found = store_->FindKeyByToken("hash1", kNow).value();
  EXPECT_EQ(found.id, account.id);
  EXPECT_EQ(found.grants.size(), 2U);
  EXPECT_FALSE(store_->FindKeyByToken("hash1", kNow + std::chrono::hours{1}));
  store_->RevokeToken("hash1");
  EXPECT_FALSE(store_->FindKeyByToken("hash1", kNow));
  EXPECT_TRUE(store_->FindKeyByToken("hash2", kNow));
  EXPECT_EQ(store_->RevokeKey(account.id, kNow), KeyChange::kDone);
  EXPECT_FALSE(store_->FindKeyByToken("hash2", kNow));
}

TEST_P(KeySuite, ExpiredTokensAreDeleted) {
  const domain::ClientSecret secret = AddAccount(NewKey("mdb_sa_id_1"));
  store_->AddToken("old", secret, kNow);
  store_->AddToken("new", secret, kNow + std::chrono::seconds{1});
  store_->DeleteExpiredTokens(kNow);
  EXPECT_FALSE(store_->FindKeyByToken("old", kNow - std::chrono::seconds{1}));
  EXPECT_TRUE(store_->FindKeyByToken("new", kNow));
}

TEST_P(KeySuite, AuditLogOfTheOnlyOrganizationIsTheWholeLog) {
  store_->AppendAudit({.at = kNow, .actor = "anonymous", .operation = "test"});
  store_->AppendAudit({.at = kNow, .actor = "gone", .operation = "test", .project = project_.id});
  EXPECT_EQ(store_->ListAudit({.organization = organization_.id}, {}).total, 2);
}

TEST_P(KeySuite, AuditLogOfAnOrganizationHasItsRowsOnly) {
  const domain::Organization other{
      .id = OrganizationId::Generate(kNow + std::chrono::hours{1}, random_), .name = "other"};
  domain::Key foreign = NewKey("ijklmnop");
  foreign.organization = other.id;
  store_->AddOrganization(other, foreign, "sealed");
  const domain::Project their_project{
      .id = NewId<ProjectId>(), .organization = other.id, .name = "theirs", .created = kNow};
  store_->AddProject(their_project);
  store_->AddKey(NewKey("abcdefgh"), "sealed");
  const auto append = [this](const std::string& actor, const ProjectId& project) {
    store_->AppendAudit({.at = kNow, .actor = actor, .operation = "test", .project = project});
  };
  append("abcdefgh", {});
  append("system", project_.id);
  append("ijklmnop", {});
  append("system", their_project.id);
  append("anonymous", {});
  const auto numbers = [this](const OrganizationId& organization) {
    std::vector<std::int64_t> found;
    for (const auto& row : store_->ListAudit({.organization = organization}, {}).rows) {
      found.push_back(row.number);
    }
    return found;
  };
  EXPECT_THAT(numbers(organization_.id), testing::ElementsAre(5, 2, 1));
  EXPECT_THAT(numbers(other.id), testing::ElementsAre(4, 3));
  EXPECT_EQ(store_->ListAudit({}, {}).total, 5);
}

}  // namespace tidemark::catalog
