module tidemark/gosdk/schedules

go 1.22.0

require (
	github.com/mongodb-forks/digest v1.1.0
	go.mongodb.org/atlas v0.38.0
	go.mongodb.org/atlas-sdk/v20241113005 v20241113005.0.0
)

require (
	github.com/google/go-querystring v1.1.0 // indirect
	golang.org/x/oauth2 v0.25.0 // indirect
)
