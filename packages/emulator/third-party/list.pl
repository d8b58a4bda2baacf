#!/usr/bin/env perl
# Prints a user's whole conversation list: type, id and time of each conversation, separated by tabs.
#
#   ZIM_BASE_URL=... ZIM_APP_ID=... ZIM_SERVER_SECRET=... perl list.pl USER_ID [PAGE_SIZE]
#
# Perl 5.14 and its core modules.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use HTTP::Tiny;
use JSON::PP;

my ($user, $size) = (@ARGV, 500);
my $json = JSON::PP->new->utf8->allow_nonref;
my $http = HTTP::Tiny->new(timeout => 10);

sub nonce {
    open my $random, '<:raw', '/dev/urandom' or die "no randomness: $!";
    read $random, my $bytes, 8;
    return unpack 'H16', $bytes;
}

# One signed request.
sub request {
    my ($body) = @_;
    my ($app, $nonce, $timestamp) = ($ENV{ZIM_APP_ID}, nonce(), time);
    my $signature = md5_hex($app . $nonce . $ENV{ZIM_SERVER_SECRET} . $timestamp);
    my $query = "Action=QueryConversationList&AppId=$app&SignatureNonce=$nonce&Timestamp=$timestamp"
        . "&SignatureVersion=2.0&Signature=$signature";
    my $response = $http->post("$ENV{ZIM_BASE_URL}/?$query",
        { content => $body, headers => { 'Content-Type' => 'application/json' } });
    return $json->decode($response->{content});
}

# The answer to a request, which is repeated (signed anew) while the service asks for patience.
sub patiently {
    my ($body) = @_;
    my %patience = map { $_ => 1 } 1, 7, 660300005, 660000001, 660000003;
    my $answer;
    for my $attempt (1 .. 8) {
        $answer = request($body);
        return $answer if $answer->{Code} == 0;
        last unless $patience{ $answer->{Code} };
        sleep $attempt;
    }
    print STDERR "$answer->{Code} $answer->{Message}\n";
    exit 1;
}

my $next = 0;
do {
    # Written by hand: JSON::PP reads a cursor that is too large for a number as text, and would send it in quotes.
    my $answer = patiently(sprintf '{"FromUserId":%s,"Limit":%d,"Next":%s}', $json->encode("$user"), $size, $next);
    for my $conversation (@{ $answer->{List} || [] }) {
        print join("\t", $conversation->{ConvType} || 0, @$conversation{qw(ConvId UpdateTime)}), "\n";
    }
    $next = $answer->{Next} // die "the answer has no Next\n";
} while ($next ne '0');
