namespace Varve.Bench.Peers;

/// <summary>
/// Long shared prefixes: <c>/registry/pods/default/NAME-0123456789-01234</c> and its like, as Kubernetes keeps them.
/// </summary>
internal sealed class PathKeys : KeyShape
{
    private static readonly byte[][] Directories =
    [
        "/registry/pods/default/"u8.ToArray(), "/registry/pods/default/"u8.ToArray(),
        "/registry/pods/kube-system/"u8.ToArray(), "/registry/pods/production/"u8.ToArray(),
        "/registry/events/default/"u8.ToArray(), "/registry/events/production/"u8.ToArray(),
        "/registry/leases/kube-node-lease/"u8.ToArray(), "/registry/services/endpoints/default/"u8.ToArray(),
    ];

    private static readonly byte[][] Names =
    [
        "web-frontend-"u8.ToArray(), "web-backend-"u8.ToArray(), "web-backend-canary-"u8.ToArray(),
        "postgres-operator-"u8.ToArray(),
        "ingress-nginx-controller-"u8.ToArray(), "cert-manager-webhook-"u8.ToArray(),
        "prometheus-node-exporter-"u8.ToArray(), "redis-"u8.ToArray(),
    ];

    private static ReadOnlySpan<byte> Digits => "bcdfghjklmnpqrstvwxz2456789acefy"u8;

    public override int BytesMax => 80;

    // The mean over directories and names, and 10 + 1 + 5 of the two hashes: they are drawn evenly.
    public override double BytesMean => Directories.Average(d => d.Length) + Names.Average(n => n.Length) + 16;

    public override int Write(long number, Span<byte> key)
    {
        var hash = Hash.Mix(Seed ^ (ulong)number);
        var directory = Directories[hash & 7];
        var name = Names[(hash >> 3) & 7];
        directory.CopyTo(key);
        name.CopyTo(key[directory.Length..]);
        var at = directory.Length + name.Length;
        // 13 digits hold the whole hash, which is distinct; two more are drawn from it.
        for (var digit = 0; digit < 15; digit++)
        {
            if (digit == 10) key[at++] = (byte)'-';
            key[at++] = Digits[(int)((digit < 13 ? hash >> (digit * 5) : hash >> (digit * 3)) & 31)];
        }

        return at;
    }
}
