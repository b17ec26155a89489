// Package archive makes Java's archives reproducible: jar, war and ear files say of
// each entry when it was built, which is all that differs between two builds of the
// same commit.
package archive
