import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Prints a user's whole conversation list: type, id and time of each conversation, separated by tabs.
 *
 * <pre>ZIM_BASE_URL=... ZIM_APP_ID=... ZIM_SERVER_SECRET=... java List.java USER_ID [PAGE_SIZE]</pre>
 *
 * Java 17, no libraries, no build.
 */
public class List {
    static final Set<Long> PATIENCE = Set.of(1L, 7L, 660300005L, 660000001L, 660000003L);

    /** Members with a simple value, and the braces outside of texts: the JDK has no JSON, and this is all it takes. */
    static final Pattern TOKEN = Pattern.compile("\"(\\w+)\"\\s*:\\s*(?:\"((?:[^\"\\\\]|\\\\.)*)\"|(\\d+))|[{}]");

    static final HttpClient http = HttpClient.newBuilder()
        .connectTimeout(Duration.ofSeconds(10))
        .build();
    static final SecureRandom random = new SecureRandom();

    /** One signed request. */
    static String request(String body) throws Exception {
        var bytes = new byte[8];
        random.nextBytes(bytes);
        var nonce = HexFormat.of().formatHex(bytes);
        var timestamp = Instant.now().getEpochSecond();
        var appId = System.getenv("ZIM_APP_ID");
        var signed = appId + nonce + System.getenv("ZIM_SERVER_SECRET") + timestamp;
        var digest = MessageDigest.getInstance("MD5").digest(signed.getBytes(StandardCharsets.UTF_8));
        var url = System.getenv("ZIM_BASE_URL") + "/?Action=QueryConversationList&AppId=" + appId
            + "&SignatureNonce=" + nonce + "&Timestamp=" + timestamp
            + "&SignatureVersion=2.0&Signature=" + HexFormat.of().formatHex(digest);
        var request = HttpRequest.newBuilder(URI.create(url))
            .header("Content-Type", "application/json")
            .timeout(Duration.ofSeconds(10))
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** A number of the answer's top level, digit by digit: a cursor need not fit into a long. */
    static String number(String name, String answer) {
        var found = TOKEN.matcher(answer).results()
            .filter(token -> name.equals(token.group(1)) && token.group(3) != null)
            .findFirst();
        return found.orElseThrow(() -> new IllegalStateException("the answer has no " + name)).group(3);
    }

    /** The answer to a request, which is repeated (signed anew) while the service asks for patience. */
    static String patiently(String body) throws Exception {
        var answer = "";
        for (var attempt = 1; attempt <= 8; attempt++) {
            answer = request(body);
            var code = Long.parseLong(number("Code", answer));
            if (code == 0) return answer;
            if (!PATIENCE.contains(code)) break;
            Thread.sleep(attempt * 1000L);
        }
        var message = TOKEN.matcher(answer).results().filter(token -> "Message".equals(token.group(1))).findFirst();
        System.err.println(number("Code", answer) + " " + message.map(token -> token.group(2)).orElse(""));
        System.exit(1);
        return answer;
    }

    static void print(String answer) {
        String id = null, type = "0", time = "0";
        for (var token : TOKEN.matcher(answer).results().toList()) {
            if (token.group().equals("{")) {
                id = null;
                type = "0";
            } else if (token.group().equals("}")) {
                if (id != null) System.out.println(type + "\t" + id + "\t" + time);
                id = null;
            } else {
                switch (token.group(1)) {
                    case "ConvId" -> id = token.group(2);
                    case "ConvType" -> type = token.group(3);
                    case "UpdateTime" -> time = token.group(3);
                    default -> { }
                }
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        var size = arguments.length > 1 ? arguments[1] : "500";
        var next = "0";
        do {
            var answer = patiently(
                "{\"FromUserId\":\"" + arguments[0] + "\",\"Limit\":" + size + ",\"Next\":" + next + "}");
            print(answer);
            next = number("Next", answer);
        } while (!next.equals("0"));
    }
}
