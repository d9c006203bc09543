// The one class of Bouncy Castle that JavaRosa needs for a text as seed of randomize(), and that its jar leaves out.
package org.bouncycastle.crypto.digests;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

public class SHA256Digest {
    private final MessageDigest digest;

    public SHA256Digest() throws NoSuchAlgorithmException {
        digest = MessageDigest.getInstance("SHA-256");
    }

    public void update(byte[] in, int offset, int length) {
        digest.update(in, offset, length);
    }

    public int doFinal(byte[] out, int offset) throws DigestException {
        return digest.digest(out, offset, 32);
    }
}
