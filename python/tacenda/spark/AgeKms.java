package tacenda;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.NamedParameterSpec;
import java.security.spec.XECPrivateKeySpec;
import java.security.spec.XECPublicKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.Mac;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.crypto.KeyAccessDeniedException;
import org.apache.parquet.crypto.keytools.KmsClient;

/**
 * Opens the sealed segments of a journal in Spark, and in whatever else reads Parquet with Java.
 *
 * <p>The keys of a segment's columns are wrapped to age recipients, in the key material of Parquet's own
 * key tools. The access token of these tools, {@code parquet.encryption.key.access.token}, names the
 * identity files that open them, with commas between them. A column whose key none of them opens is
 * denied, and the others are read.
 *
 * <p>Needs Java 11, and nothing that Spark does not bring.
 */
public final class AgeKms implements KmsClient {
    /** What a wrapped key has at most: whoever can write to the directory may have written it. */
    private static final int LONGEST_WRAPPED = 1 << 18;

    private static final int MOST_FILES = 2;
    private static final int MOST_LINES = 2200;

    private static final String VERSION = "age-encryption.org/v1";
    private static final String PREFIX = "age-secret-key-";
    private static final String CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private static final byte[] BASE_POINT = base();

    private final List<Identity> identities = new ArrayList<>();

    @Override
    public void initialize(Configuration configuration, String id, String url, String token) {
        try {
            for (String name : token.split(",")) {
                for (String line : Files.readAllLines(Path.of(name.trim()))) {
                    if (!line.isBlank() && !line.startsWith("#")) {
                        identities.add(new Identity(unbech32(line.trim())));
                    }
                }
            }
        } catch (IOException | GeneralSecurityException error) {
            throw new KeyAccessDeniedException("parquet.encryption.key.access.token names no identity files", error);
        }
    }

    @Override
    public String wrapKey(byte[] key, String name) {
        throw new KeyAccessDeniedException("segments are sealed by `tacenda journal`");
    }

    @Override
    public byte[] unwrapKey(String wrapped, String name) {
        String[] files = wrapped.split("\\.", MOST_FILES + 1);
        if (wrapped.length() > LONGEST_WRAPPED || files.length > MOST_FILES) {
            throw new KeyAccessDeniedException("the wrapping of the key `" + name + "` is none that is written");
        }
        try {
            for (String file : files) {
                byte[] key = open(Base64.getDecoder().decode(file));
                if (key != null) {
                    return key;
                }
            }
        } catch (GeneralSecurityException | IllegalArgumentException error) {
            throw new KeyAccessDeniedException("the wrapping of the key `" + name + "` is malformed", error);
        }
        throw new KeyAccessDeniedException("no identity opens the key `" + name + "`");
    }

    /** Opens an age file of one chunk; null when no identity fits. */
    private byte[] open(byte[] file) throws GeneralSecurityException {
        // The header is ASCII; what follows it is not looked at as a text.
        String text = new String(file, StandardCharsets.ISO_8859_1);
        int end = text.indexOf("\n---");
        int body = text.indexOf('\n', end + 1) + 1;
        if (!text.startsWith(VERSION + "\n") || end < 0 || body < end + 5 || file.length < body + 16) {
            return null;
        }
        byte[] fileKey = fileKey(text.substring(0, end).split("\n"));
        if (fileKey == null) {
            return null;
        }
        byte[] mac = hmac(derive(fileKey, new byte[0], "header"), Arrays.copyOf(file, end + 4));
        if (!MessageDigest.isEqual(mac, Base64.getDecoder().decode(text.substring(end + 5, body - 1)))) {
            return null;
        }
        byte[] nonce = new byte[12];
        // The first chunk is the last one.
        nonce[11] = 1;
        byte[] key = derive(fileKey, Arrays.copyOfRange(file, body, body + 16), "payload");
        return decrypt(key, nonce, Arrays.copyOfRange(file, body + 16, file.length));
    }

    private byte[] fileKey(String[] lines) throws GeneralSecurityException {
        if (lines.length > MOST_LINES) {
            return null;
        }
        for (int at = 0; at + 1 < lines.length; at++) {
            String[] words = lines[at].split(" ");
            if (words.length == 3 && words[0].equals("->") && words[1].equals("X25519")) {
                byte[] share = Base64.getDecoder().decode(words[2]);
                byte[] sealed = Base64.getDecoder().decode(lines[at + 1]);
                for (Identity identity : identities) {
                    byte[] salt = joined(share, identity.publicKey);
                    byte[] key = derive(identity.agree(share), salt, VERSION + "/X25519");
                    byte[] opened = decrypt(key, new byte[12], sealed);
                    if (opened != null) {
                        return opened;
                    }
                }
            }
        }
        return null;
    }

    /** One who reads. */
    private static final class Identity {
        private final PrivateKey secret;
        private final byte[] publicKey;

        Identity(byte[] secret) throws GeneralSecurityException {
            XECPrivateKeySpec spec = new XECPrivateKeySpec(NamedParameterSpec.X25519, secret);
            this.secret = KeyFactory.getInstance("X25519").generatePrivate(spec);
            this.publicKey = agree(BASE_POINT);
        }

        byte[] agree(byte[] other) throws GeneralSecurityException {
            byte[] reversed = new byte[other.length];
            for (int at = 0; at < other.length; at++) {
                reversed[at] = other[other.length - 1 - at];
            }
            BigInteger u = new BigInteger(1, reversed);
            XECPublicKeySpec spec = new XECPublicKeySpec(NamedParameterSpec.X25519, u);
            PublicKey key = KeyFactory.getInstance("X25519").generatePublic(spec);
            KeyAgreement agreement = KeyAgreement.getInstance("X25519");
            agreement.init(secret);
            agreement.doPhase(key, true);
            return agreement.generateSecret();
        }
    }

    private static byte[] base() {
        byte[] base = new byte[32];
        base[0] = 9;
        return base;
    }

    /** HKDF-SHA-256 (RFC 5869), 32 bytes. */
    private static byte[] derive(byte[] secret, byte[] salt, String info) throws GeneralSecurityException {
        byte[] extracted = hmac(salt.length == 0 ? new byte[32] : salt, secret);
        return hmac(extracted, joined(info.getBytes(StandardCharsets.US_ASCII), new byte[] {1}));
    }

    private static byte[] hmac(byte[] key, byte[] data) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(data);
    }

    private static byte[] decrypt(byte[] key, byte[] nonce, byte[] data) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("ChaCha20-Poly1305");
        cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "ChaCha20"), new IvParameterSpec(nonce));
        try {
            return cipher.doFinal(data);
        } catch (AEADBadTagException error) {
            return null;
        }
    }

    private static byte[] joined(byte[] one, byte[] other) {
        byte[] joined = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, joined, one.length, other.length);
        return joined;
    }

    /** The bytes of an {@code AGE-SECRET-KEY-1…} (BIP 173). */
    private static byte[] unbech32(String text) throws IOException {
        String lower = text.toLowerCase(Locale.ROOT);
        int separator = lower.lastIndexOf('1');
        if (separator < 0 || !lower.substring(0, separator).equals(PREFIX)) {
            throw new IOException("not an age identity");
        }
        int checksum = 1;
        for (int at = 0; at < separator; at++) {
            checksum = step(checksum, lower.charAt(at) >> 5);
        }
        checksum = step(checksum, 0);
        for (int at = 0; at < separator; at++) {
            checksum = step(checksum, lower.charAt(at) & 31);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int pending = 0;
        int bits = 0;
        for (int at = separator + 1; at < lower.length(); at++) {
            int value = CHARSET.indexOf(lower.charAt(at));
            if (value < 0) {
                throw new IOException("not an age identity");
            }
            checksum = step(checksum, value);
            if (at < lower.length() - 6) {
                pending = pending << 5 | value;
                bits += 5;
                if (bits >= 8) {
                    bits -= 8;
                    bytes.write(pending >> bits);
                }
            }
        }
        if (checksum != 1 || bytes.size() != 32) {
            throw new IOException("not an age identity");
        }
        return bytes.toByteArray();
    }

    private static int step(int checksum, int value) {
        int[] terms = {0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3};
        int top = checksum >>> 25;
        int next = (checksum & 0x1FFFFFF) << 5 ^ value;
        for (int bit = 0; bit < terms.length; bit++) {
            if ((top >> bit & 1) == 1) {
                next ^= terms[bit];
            }
        }
        return next;
    }
}
