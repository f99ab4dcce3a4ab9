#!/bin/sh
# A project outside the repository, with the README's snippet, what docs/library.md gives for a POM and nothing else, resolves Gyre from
# a local repository and makes a picture, on the class path and as a module; the snippet's checkpoint is the embedded model under the
# other's name. Then the distribution makes one, without Maven, and says what it needs to a Java that is too old.
set -eu

repo=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
home=${MAVEN_REPOSITORY:-$HOME/.m2/repository}

# Gyre is installed into a copy of the local repository, so that nothing of it is left in the user's.
cp -al "$home" "$scratch/m2" 2>/dev/null || cp -R "$home" "$scratch/m2"
rm -rf "$scratch/m2/dev/gyre"
mvn -q -B -ntp -f "$repo/pom.xml" -Dmaven.repo.local="$scratch/m2" -DskipTests -Dspotless.check.skip=true \
  -pl diffusion,bom,dist -am install

mkdir -p "$scratch/consumer/src/main/java"
cd "$scratch/consumer"
{
  echo 'import dev.gyre.diffusion.StableDiffusion; import dev.gyre.diffusion.request.Request; import dev.gyre.diffusion.sampler.Sampler;'
  echo 'import java.nio.file.Path;'
  echo 'public class Consumer { public static void main(String[] args) throws Exception {'
  awk '/^## As a library/ { here = 1 } here && /^```$/ { exit } code; here && /^```java$/ { code = 1 }' "$repo/README.md"
  echo '} }'
} >src/main/java/Consumer.java
{
  echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
  echo '<groupId>consumer</groupId><artifactId>consumer</artifactId><version>1</version>'
  awk '/^In Maven,/ { here = 1 } here && /^```$/ { exit } code; here && /^```xml$/ { code = 1 }' "$repo/docs/library.md"
  echo '</project>'
} >pom.xml
jdk=$("$repo/gyre" --version >/dev/null 2>&1; for d in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
  [ -x "$d/bin/javac" ] && [ -f "$d/release" ] && grep -q '^JAVA_VERSION="\(2[5-9]\|[3-9]\)' "$d/release" && echo "$d" && break; done)
JAVA_HOME=$jdk mvn -q -B -ntp -Dmaven.repo.local="$scratch/m2" compile \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=target/lib
cp "$repo/diffusion/src/main/resources/dev/gyre/diffusion/checkpoint/shapes.safetensors" v1-5-pruned.safetensors
"$jdk/bin/java" -cp "target/classes:target/lib/*" Consumer
[ -s astronaut.png ] || { echo "FAIL  the README's snippet made no picture"; exit 1; }
echo "ok    a project with the README's snippet and the documentation's POM makes a picture"

mkdir -p module/consumer
{ echo 'package consumer;'; cat src/main/java/Consumer.java; } >module/consumer/Consumer.java
echo 'module consumer { requires dev.gyre.diffusion; }' >module/module-info.java
rm astronaut.png
"$jdk/bin/javac" -p target/lib -d target/module module/module-info.java module/consumer/Consumer.java
"$jdk/bin/java" --enable-native-access=dev.gyre.machine -p target/module:target/lib -m consumer/consumer.Consumer
[ -s astronaut.png ] || { echo "FAIL  the README's snippet made no picture as a module"; exit 1; }
# What is not exported is not for users.
echo 'package consumer; class Inside { dev.gyre.nn.cpu.Gemm gemm; }' >module/consumer/Inside.java
if "$jdk/bin/javac" -p target/lib -d target/inside module/module-info.java module/consumer/*.java >log 2>&1; then
  echo "FAIL  a module may use the kernels' innards"; exit 1
fi
grep -q 'package dev.gyre.nn.cpu is not visible' log || { cat log; echo "FAIL  it should say that the package is not visible"; exit 1; }
echo "ok    so does a Java module, which sees what is exported and nothing else"

mkdir "$scratch/dist"
tar -xzf "$repo"/dist/target/gyre-*.tar.gz -C "$scratch/dist"
mkdir "$scratch/tools"
for tool in sh awk basename cat dirname env grep head ls readlink sed uname; do
  path=$(command -v "$tool") && ln -s "$path" "$scratch/tools/$tool"
done
cd "$scratch"
PATH=$scratch/tools JAVA_HOME=$jdk "$scratch"/dist/gyre-*/bin/gyre "a red circle" --steps 2 -o circle.png >log 2>&1 ||
  { cat log; echo "FAIL  the distribution does not run"; exit 1; }
[ -s circle.png ] || { echo "FAIL  the distribution made no picture"; exit 1; }
echo "ok    the distribution makes a picture with a JDK alone"

jars=$(echo "$scratch"/dist/gyre-*/lib/*.jar | tr ' ' ':')
for path in --class-path "--module-path $(echo "$scratch"/dist/gyre-*/lib) --add-modules dev.gyre.diffusion --class-path"; do
  rm -f jshell.png
  # shellcheck disable=SC2086 # options, of which one path has no blanks
  "$jdk/bin/jshell" $path "$([ "$path" = --class-path ] && echo "$jars" || echo .)" "$repo/examples/draw.jsh" >log 2>&1
  [ -s jshell.png ] || { cat log; echo "FAIL  examples/draw.jsh made no picture"; exit 1; }
done
echo "ok    examples/draw.jsh makes a picture in JShell, on the class path and on the module path"

# Any Java older than 25, to be told so.
old=$(for d in "${OLD_JAVA_HOME:-}" /usr/lib/jvm/*; do
  [ -x "$d/bin/java" ] && [ -f "$d/release" ] && grep -q '^JAVA_VERSION="\(1\.\|9\|1[0-9]\|2[0-4]\)' "$d/release" && (cd -P "$d" && pwd) && break; done)
if [ -n "$old" ]; then
  status=0
  "$old/bin/java" -cp "$(echo "$scratch"/dist/gyre-*/lib)/*" dev.gyre.cli.Main --version >log 2>&1 || status=$?
  version=$(sed -n 's/^JAVA_VERSION="\(.*\)"$/\1/p' "$old/release")
  want="gyre: needs Java 25 or newer; this is Java $version ($old"
  { [ "$status" -eq 1 ] && [ "$(grep -c . log)" -eq 1 ] && grep -q -F -e "$want" log; } ||
    { cat log; echo "FAIL  Java $version exits with $status, and should say $want…)"; exit 1; }
  echo "ok    Java $version is told that it is too old"
else
  echo "skip  a Java that is too old is told so: none in /usr/lib/jvm, nor is OLD_JAVA_HOME set"
fi

# Every library of others that it brings along is named in its NOTICE, by its jar's name or the beginning of it.
for jar in "$scratch"/dist/gyre-*/lib/*.jar; do
  name=$(basename "$jar" | sed 's/-[0-9][0-9.]*\(-SNAPSHOT\)\{0,1\}\.jar$//')
  case $name in
    gyre-* | jsafetensors) continue ;;
    prometheus-metrics-*) name='prometheus-metrics-\*' ;;
    arrow-*) name='arrow-\*' ;;
  esac
  grep -q "\(^\|[ ,]\)$name\([ ,]\|\$\)" "$scratch"/dist/gyre-*/NOTICE ||
    { echo "FAIL  the NOTICE does not name $name"; exit 1; }
done
echo "ok    the NOTICE names every library that the distribution brings along"
